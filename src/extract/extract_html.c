/* The main text of a web page: what it says, without menus, banners and footers. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "extract/html_tree.h"
#include "extract/private.h"

#define DEPTH_MAX 400  /* what is nested deeper is left out */
#define MAIN_LEAST 200 /* bytes: less than this, and the whole page is read */
#define LINKS_LEAST 3  /* a block of links alone is a menu from this number on */

struct walk {
    struct rlx_sink sink;
    bool strict; /* menus and the like are left out */
    unsigned pre;
    size_t link_bytes, links, in_link;
};

static const char *attribute(const GumboNode *node, const char *name)
{
    const GumboAttribute *found = gumbo_get_attribute(&node->v.element.attributes, name);

    return found ? found->value : NULL;
}

/* Whether one of the words stands in the value, between its own marks ("site-nav", "NavBar" begins
 * with it). */
static bool names_one(const char *value, const char *const *words)
{
    if (!value)
        return false;
    for (; *words; words++) {
        size_t n = strlen(*words);
        for (const char *at = value; (at = strcasestr(at, *words)); at++) {
            bool begins = at == value || !isalpha((unsigned char)at[-1]);
            bool ends =
                !islower((unsigned char)at[n]) || at[n] == 's' || !strncasecmp(at + n, "bar", 3);
            if (begins && ends)
                return true;
        }
    }
    return false;
}

/* What never is text. */
static bool is_silent(GumboTag tag)
{
    switch (tag) {
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_MATH:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_CANVAS:
    case GUMBO_TAG_AUDIO:
    case GUMBO_TAG_VIDEO:
    case GUMBO_TAG_HEAD:
    case GUMBO_TAG_SELECT:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_INPUT:
        return true;
    default:
        return false;
    }
}

static bool is_furniture(const GumboNode *node)
{
    static const char *const names[] = {
        "nav",        "navigation", "menu",  "sidebar", "breadcrumb", "cookie",
        "footer",     "masthead",   "share", "social",  "comment",    "advert",
        "ad",         "promo",      "popup", "modal",   "newsletter", "related",
        "pagination", "pager",      "skip",  NULL};
    static const char *const roles[] = {"navigation",    "banner", "contentinfo", "search",
                                        "complementary", "menu",   "dialog",      NULL};
    GumboTag tag = node->v.element.tag;

    if (tag == GUMBO_TAG_NAV || tag == GUMBO_TAG_ASIDE || tag == GUMBO_TAG_FOOTER ||
        tag == GUMBO_TAG_MENU)
        return true;
    if (tag == GUMBO_TAG_HEADER && node->parent && node->parent->type == GUMBO_NODE_ELEMENT &&
        node->parent->v.element.tag == GUMBO_TAG_BODY)
        return true;
    if (tag == GUMBO_TAG_HTML || tag == GUMBO_TAG_BODY || tag == GUMBO_TAG_MAIN ||
        tag == GUMBO_TAG_ARTICLE)
        return false;
    return names_one(attribute(node, "role"), roles) ||
           names_one(attribute(node, "class"), names) || names_one(attribute(node, "id"), names);
}

static bool is_hidden(const GumboNode *node)
{
    const char *aria = attribute(node, "aria-hidden"), *style = attribute(node, "style");

    return attribute(node, "hidden") || (aria && !strcasecmp(aria, "true")) ||
           (style && (strcasestr(style, "display:none") || strcasestr(style, "display: none")));
}

/* Line breaks around an element: 0 inline, 1 a line of its own, 2 a paragraph. */
static unsigned breaks_of(GumboTag tag)
{
    switch (tag) {
    case GUMBO_TAG_P:
    case GUMBO_TAG_H1:
    case GUMBO_TAG_H2:
    case GUMBO_TAG_H3:
    case GUMBO_TAG_H4:
    case GUMBO_TAG_H5:
    case GUMBO_TAG_H6:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_TABLE:
    case GUMBO_TAG_UL:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_HR:
        return 2;
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_LI:
    case GUMBO_TAG_TR:
    case GUMBO_TAG_DT:
    case GUMBO_TAG_DD:
    case GUMBO_TAG_BR:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_DETAILS:
    case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_CAPTION:
    case GUMBO_TAG_ADDRESS:
        return 1;
    default:
        return 0;
    }
}

/* A block whose words are nearly all links is a menu, whatever it is called. */
static bool may_be_menu(GumboTag tag)
{
    return tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL || tag == GUMBO_TAG_DIV ||
           tag == GUMBO_TAG_P || tag == GUMBO_TAG_SECTION || tag == GUMBO_TAG_TABLE;
}

static void add_text(struct walk *walk, const char *text)
{
    size_t before = walk->sink.length;

    if (walk->pre)
        rlx_sink_text(&walk->sink, text);
    else
        rlx_sink_words(&walk->sink, text, strlen(text));
    if (walk->in_link)
        walk->link_bytes += walk->sink.length - before;
}

static void walk_node(struct walk *walk, const GumboNode *node, unsigned depth);

static void walk_children(struct walk *walk, const GumboNode *node, unsigned depth)
{
    const GumboVector *children = &node->v.element.children;

    for (unsigned i = 0; i < children->length && !walk->sink.full && !walk->sink.failed; i++)
        walk_node(walk, children->data[i], depth + 1);
}

static void begin(struct walk *walk, GumboTag tag)
{
    rlx_sink_break(&walk->sink, breaks_of(tag));
    walk->pre += tag == GUMBO_TAG_PRE;
    walk->in_link += tag == GUMBO_TAG_A;
    walk->links += tag == GUMBO_TAG_A;
    if (tag == GUMBO_TAG_LI)
        rlx_sink_text(&walk->sink, "- ");
    if ((tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH) && walk->sink.length &&
        walk->sink.text[walk->sink.length - 1] != '\n')
        rlx_sink_text(&walk->sink, " | ");
}

static void end(struct walk *walk, GumboTag tag)
{
    walk->pre -= tag == GUMBO_TAG_PRE;
    walk->in_link -= tag == GUMBO_TAG_A;
    rlx_sink_break(&walk->sink, breaks_of(tag));
}

static void walk_element(struct walk *walk, const GumboNode *node, unsigned depth)
{
    GumboTag tag = node->v.element.tag;

    if (depth > DEPTH_MAX || is_silent(tag) || is_hidden(node) ||
        (walk->strict && is_furniture(node)))
        return;
    begin(walk, tag);
    size_t from = walk->sink.length, links = walk->links, link_bytes = walk->link_bytes;
    walk_children(walk, node, depth);
    size_t added = walk->sink.length - from;
    if (walk->strict && may_be_menu(tag) && walk->links - links >= LINKS_LEAST &&
        (walk->link_bytes - link_bytes) * 10 >= added * 6 && added / (walk->links - links) < 60) {
        walk->sink.length = from;
        walk->sink.text[from] = '\0';
        walk->links = links;
        walk->link_bytes = link_bytes;
    }
    end(walk, tag);
}

static void walk_node(struct walk *walk, const GumboNode *node, unsigned depth)
{
    switch (node->type) {
    case GUMBO_NODE_ELEMENT:
        walk_element(walk, node, depth);
        break;
    case GUMBO_NODE_TEXT:
    case GUMBO_NODE_CDATA:
        add_text(walk, node->v.text.text);
        break;
    case GUMBO_NODE_WHITESPACE:
        add_text(walk, walk->pre ? node->v.text.text : " ");
        break;
    default:
        break;
    }
}

/* The first element of the kind, in the page's order. */
static const GumboNode *find(const GumboNode *node, GumboTag tag, const char *role,
                             unsigned *countp, unsigned depth)
{
    const GumboNode *first = NULL;

    if (node->type != GUMBO_NODE_ELEMENT || depth > DEPTH_MAX)
        return NULL;
    const char *own = role ? attribute(node, "role") : NULL;
    if (node->v.element.tag == tag || (own && !strcasecmp(own, role))) {
        ++*countp;
        return node;
    }
    const GumboVector *children = &node->v.element.children;
    for (unsigned i = 0; i < children->length; i++) {
        const GumboNode *found = find(children->data[i], tag, role, countp, depth + 1);
        first = first ? first : found;
    }
    return first;
}

/* Where the page's own text stands. */
static const GumboNode *main_of(const GumboNode *root)
{
    unsigned count = 0;
    const GumboNode *found = find(root, GUMBO_TAG_MAIN, "main", &count, 0);

    if (found)
        return found;
    count = 0;
    found = find(root, GUMBO_TAG_ARTICLE, NULL, &count, 0);
    return count == 1 ? found : root;
}

static char *title_of(TALLOC_CTX *ctx, const GumboNode *root)
{
    static const GumboTag tags[] = {GUMBO_TAG_TITLE, GUMBO_TAG_H1};
    char *title = NULL;

    for (size_t i = 0; i < 2 && !title; i++) {
        unsigned count = 0;
        const GumboNode *found = find(root, tags[i], NULL, &count, 0);
        struct walk walk = {.sink = {.ctx = ctx}};
        if (found)
            walk_children(&walk, found, 0);
        if (walk.sink.text)
            title = rlx_extract_title(ctx, walk.sink.text, walk.sink.length);
        talloc_free(walk.sink.text);
    }
    return title;
}

static int read_tree(struct rlx_extracted *out, const GumboNode *root, char **whyp)
{
    struct walk walk = {.sink = {.ctx = out}, .strict = true};

    walk_node(&walk, main_of(root), 0);
    if (walk.sink.length < MAIN_LEAST && !walk.sink.failed) {
        struct walk whole = {.sink = {.ctx = out}, .strict = false};
        walk_node(&whole, root, 0);
        if (whole.sink.length > 4 * walk.sink.length)
            walk = whole;
    }
    out->title = title_of(out, root);
    out->text = walk.sink.text;
    if (walk.sink.full) {
        *whyp =
            talloc_asprintf(out, "the page holds more than %u bytes of text", RLX_EXTRACT_TEXT_MAX);
        return RLX_EINVAL;
    }
    return walk.sink.failed ? -ENOMEM : 0;
}

int rlx_extract_html(struct rlx_extracted *out, const char *text, size_t length, char **whyp)
{
    struct rlx_html_tree *tree = NULL;
    int err = rlx_html_tree_create(&tree, text, length);

    if (err == RLX_ETOOBIG) {
        *whyp = talloc_strdup(out, "the page is nested or tangled beyond what a page may be");
        return RLX_EINVAL;
    }
    if (err)
        return err;
    err = read_tree(out, rlx_html_tree_root(tree), whyp);
    rlx_html_tree_free(tree);
    return err;
}
