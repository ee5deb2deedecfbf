/* HTML to a tree within limits of memory and time; private to src/extract. */
#ifndef RLX_EXTRACT_HTML_TREE_H
#define RLX_EXTRACT_HTML_TREE_H

#include <gumbo.h>
#include <stddef.h>

struct rlx_html_tree;

#define RLX_HTML_MEMORY_MAX (256u << 20)
#define RLX_HTML_CPU_MS 3000

/* Parses. RLX_ETOOBIG when the page needs more memory or time than a page may, -ENOMEM. */
int rlx_html_tree_create(struct rlx_html_tree **treep, const char *text, size_t length)
    __attribute__((warn_unused_result));
const GumboNode *rlx_html_tree_root(const struct rlx_html_tree *tree);
void rlx_html_tree_free(struct rlx_html_tree *tree);

#endif
