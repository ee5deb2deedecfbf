/* Each kind of file: what is read from a good one, and what is said of a bad one. */
#include "../rlx_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "extract/extract.h"

#define HOSTILE_BYTES (300u << 10)

static struct rlx_extracted *read_bytes(void **state, enum rlx_extract_kind kind,
                                        const char *charset, const void *data, size_t length)
{
    struct rlx_extracted *found = NULL;
    char *why = NULL;
    int err = rlx_extract(&found, *state, kind, charset, data, length, &why);

    if (err)
        fail_msg("%s", why);
    return found;
}

static struct rlx_extracted *read_text(void **state, enum rlx_extract_kind kind, const char *text)
{
    return read_bytes(state, kind, NULL, text, strlen(text));
}

/* The error's sentence. */
static const char *refused(void **state, enum rlx_extract_kind kind, const void *data,
                           size_t length)
{
    struct rlx_extracted *found = NULL;
    char *why = NULL;

    assert_int_equal(rlx_extract(&found, *state, kind, NULL, data, length, &why), RLX_EINVAL);
    assert_non_null(why);
    return why;
}

static char *file(void **state, const char *name, size_t *lengthp)
{
    char path[512];

    snprintf(path, sizeof path, "%s/tests/unit/extract/files/%s", RLX_SOURCE_DIR, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *data = talloc_size(*state, 1 << 20);
    *lengthp = fread(data, 1, 1 << 20, f);
    fclose(f);
    return data;
}

static struct rlx_extracted *read_file(void **state, enum rlx_extract_kind kind, const char *name)
{
    size_t length;
    char *data = file(state, name, &length);

    return read_bytes(state, kind, NULL, data, length);
}

static const char *refused_file(void **state, enum rlx_extract_kind kind, const char *name)
{
    size_t length;
    char *data = file(state, name, &length);

    return refused(state, kind, data, length);
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in \"%s\"", part, text);
}

static void kinds(void **state)
{
    static const struct {
        const char *name, *type, *data;
        int kind; /* -1: refused */
    } rows[] = {{"a.txt", NULL, "x", RLX_EXTRACT_TEXT},
                {"a.MD", NULL, "x", RLX_EXTRACT_MARKDOWN},
                {"a.b.htm", NULL, "x", RLX_EXTRACT_HTML},
                {"a.csv", "text/plain", "x", RLX_EXTRACT_CSV},
                {"a.docx", NULL, "PK\3\4", RLX_EXTRACT_DOCX},
                {"a.txt", NULL, "%PDF-1.7", RLX_EXTRACT_PDF},
                {NULL, "text/html; charset=utf-8", "x", RLX_EXTRACT_HTML},
                {NULL, "application/pdf", "x", RLX_EXTRACT_PDF},
                {"a.exe", NULL, "MZ", -1},
                {"docx", NULL, "x", -1},
                {"a.xlsx", NULL, "PK\3\4", -1},
                {"a.doc", NULL, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", -1},
                {"a.docx", NULL, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", -1},
                {NULL, NULL, "", -1}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum rlx_extract_kind kind;
        const char *why = NULL;
        int err = rlx_extract_kind_of(&kind, rows[i].name, rows[i].type, rows[i].data,
                                      strlen(rows[i].data), &why);
        assert_int_equal(err, rows[i].kind < 0 ? RLX_EMEDIA : 0);
        if (!err)
            assert_int_equal(kind, rows[i].kind);
        else
            assert_non_null(why);
    }
}

static void charsets(void **state)
{
    static const char wanted[] = "Caf\xC3\xA9 \xE2\x82\xAC"
                                 "5";
    static const struct {
        const char *data;
        size_t length;
        const char *charset;
    } rows[] = {{"Caf\xC3\xA9 \xE2\x82\xAC"
                 "5",
                 11, NULL},
                {"\xEF\xBB\xBF"
                 "Caf\xC3\xA9 \xE2\x82\xAC"
                 "5",
                 14, "iso-8859-1"},
                {"Caf\xE9 \x80"
                 "5",
                 7, NULL},
                {"Caf\xE9 \x80"
                 "5",
                 7, "ISO-8859-1"},
                {"Caf\xE9 \x80"
                 "5",
                 7, "no-such-charset"},
                {"Caf\xE9 \x80"
                 "5",
                 7, "utf-8//TRANSLIT"},
                {"\xFF\xFE"
                 "C\0a\0f\0\xE9\0 \0\xAC\x20"
                 "5\0",
                 16, NULL},
                {"\xFE\xFF\0C\0a\0f\0\xE9\0 \x20\xAC\0"
                 "5",
                 16, NULL},
                {"C\0a\0f\0\xE9\0 \0\xAC\x20"
                 "5\0",
                 14, NULL},
                {"C\0a\0f\0\xE9\0 \0\xAC\x20"
                 "5\0",
                 14, "utf-16le"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(
            read_bytes(state, RLX_EXTRACT_TEXT, rows[i].charset, rows[i].data, rows[i].length)
                ->text,
            wanted);
    assert_string_equal(read_bytes(state, RLX_EXTRACT_HTML, NULL,
                                   "<meta charset=\"windows-1251\"><p>\xEF\xF0\xE8", 35)
                            ->text,
                        "\xD0\xBF\xD1\x80\xD0\xB8");
}

static void plain(void **state)
{
    assert_string_equal(
        read_text(state, RLX_EXTRACT_TEXT, "\n\n One \r\nTwo\t\r\r\n\n\n\nThree\xC2\xA0!  \n")
            ->text,
        "One\nTwo\n\nThree !");
    assert_has(refused(state, RLX_EXTRACT_TEXT, " \n\t ", 4), "no text");
    assert_has(refused(state, RLX_EXTRACT_TEXT, "", 0), "no text");
    char noise[600];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(i * 7 % 31 + 1);
    assert_has(refused(state, RLX_EXTRACT_TEXT, noise, sizeof noise), "no text");
    char *much = talloc_size(*state, RLX_EXTRACT_FILE_MAX + 1);
    memset(much, 'a', RLX_EXTRACT_FILE_MAX + 1);
    assert_has(refused(state, RLX_EXTRACT_TEXT, much, RLX_EXTRACT_FILE_MAX + 1),
               "larger than 20 MB");
    assert_has(refused(state, RLX_EXTRACT_TEXT, much, 2 << 20), "1000000 bytes");
}

static void html(void **state)
{
    struct rlx_extracted *page = read_file(state, RLX_EXTRACT_HTML, "page.html");

    assert_string_equal(page->title, "Miller's Bakery & Caf\xC3\xA9");
    assert_has(
        page->text,
        "Our bread\n\nWe bake sourdough every morning at five. See our prices.\n\n"
        "- Rye: 4 dollars\n- Spelt: 5 dollars\n\nDay | Hours\nMonday | 7 to 18\n\nThe quick");
    static const char *const not [] = {"Home",  "About",  "Start",   "nothing", "Hidden",
                                       "Flour", "Follow", "imprint", "cookies", "color"};
    for (size_t i = 0; i < sizeof not / sizeof not [0]; i++)
        assert_lacks(page->text, not [i]);
}

static void html_odd(void **state)
{
    assert_string_equal(read_text(state, RLX_EXTRACT_HTML, "just words")->text, "just words");
    assert_null(read_text(state, RLX_EXTRACT_HTML, "just words")->title);
    assert_string_equal(
        read_text(state, RLX_EXTRACT_HTML, "<h1>Head</h1>a<br>b<pre>c\n  d</pre>")->text,
        "Head\n\na\nb\n\nc\n  d");
    /* A page of nothing but a menu: better all of it than nothing. */
    assert_has(read_text(state, RLX_EXTRACT_HTML,
                         "<nav>Call 555 or write to us at the address below</nav>")
                   ->text,
               "Call 555");
    assert_string_equal(
        read_text(state, RLX_EXTRACT_HTML, "<body>Around<main><p>Inside.</p></main>")->text,
        "Inside.");
    assert_has(refused(state, RLX_EXTRACT_HTML, "<script>x</script>", 18), "no text");
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Pages that are made to exhaust a parser end soon, one way or the other. */
static void html_hostile(void **state)
{
    static const char *const pieces[] = {
        "<div>", "<b>",  "<a><table>", "<p><b><i><u>", "<svg><a>", "<span><p>", "<select><option>",
        "</p>",  "<!--", "&amp;"};

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t n = strlen(pieces[i]), length = 0;
        char *page = talloc_size(*state, HOSTILE_BYTES);
        struct rlx_extracted *found = NULL;
        char *why = NULL;
        memcpy(page, "words", 5);
        for (length = 5; length + n <= HOSTILE_BYTES; length += n)
            memcpy(page + length, pieces[i], n);
        double began = seconds();
        int err = rlx_extract(&found, *state, RLX_EXTRACT_HTML, NULL, page, length, &why);
        assert_true(!err || err == RLX_EINVAL);
        assert_true(seconds() - began < 12);
        talloc_free(page);
    }
}

static void markdown(void **state)
{
    struct rlx_extracted *found = read_text(
        state, RLX_EXTRACT_MARKDOWN,
        "---\nlayout: x\n---\n# Our **rules** #\n\nNo *smoking*, see [the page](http://x.y/z) "
        "![pic](p.png).\nUse snake_case and 2 * 3.\n\n* one\n+ two\n- three\n> "
        "said\n\n---\n```c\n# code *x*\n```\n"
        "<!-- hidden -->\nA\\*b\n");

    assert_string_equal(found->title, "Our rules");
    assert_string_equal(
        found->text,
        "Our rules\n\nNo smoking, see the page .\nUse snake_case and 2 * 3.\n\n- one\n- two\n"
        "- three\nsaid\n\n# code *x*\nA*b");
}

static void csv(void **state)
{
    assert_string_equal(
        read_text(
            state, RLX_EXTRACT_CSV,
            "Part,Price,Note\r\n\"Brake, front\",40,\"says \"\"new\"\"\"\r\nTire,,\"two\nlines\"\n")
            ->text,
        "Part: Brake, front, Price: 40, Note: says \"new\".\nPart: Tire, Note: two lines.");
    assert_string_equal(read_text(state, RLX_EXTRACT_CSV, "a;b\n1;2\n3;4;5")->text,
                        "a: 1, b: 2.\na: 3, b: 4, 5.");
    assert_string_equal(read_text(state, RLX_EXTRACT_CSV, "1\t2\n3\t4\n")->text, "1, 2.\n3, 4.");
    assert_has(refused(state, RLX_EXTRACT_CSV, "a,b\n1,\"2\n3,4\n", 13), "row 2");
}

static void docx(void **state)
{
    struct rlx_extracted *found = read_file(state, RLX_EXTRACT_DOCX, "prices.docx");

    assert_string_equal(found->title, "Price list");
    assert_has(found->text, "Price list\n\nBrakes cost 90 dollars.\n\nTires & wheels\nare extra.");
    assert_has(found->text, "Oil change");
    assert_lacks(found->text, "Old price");
    assert_has(refused_file(state, RLX_EXTRACT_DOCX, "bomb.docx"), "many times larger");
    assert_has(refused_file(state, RLX_EXTRACT_DOCX, "entities.docx"), "broken");
    assert_has(refused_file(state, RLX_EXTRACT_DOCX, "outside.docx"), "broken");
    assert_has(refused_file(state, RLX_EXTRACT_DOCX, "deep.docx"), "broken");
    assert_has(refused_file(state, RLX_EXTRACT_DOCX, "torn.docx"), "broken");
    assert_has(refused_file(state, RLX_EXTRACT_DOCX, "other.docx"), "no Word document");
    assert_has(refused(state, RLX_EXTRACT_DOCX, "PK\3\4 and so on", 14), "broken");
    size_t length;
    char *data = file(state, "prices.docx", &length);
    assert_has(refused(state, RLX_EXTRACT_DOCX, data, length / 2), "broken");
}

static void pdf(void **state)
{
    assert_string_equal(read_file(state, RLX_EXTRACT_PDF, "hours.pdf")->text,
                        "Opening hours\nWe open at nine and close at five.");
    assert_has(refused_file(state, RLX_EXTRACT_PDF, "locked.pdf"), "encrypted");
    assert_has(refused_file(state, RLX_EXTRACT_PDF, "empty.pdf"), "no text");
    assert_has(refused(state, RLX_EXTRACT_PDF, "%PDF-1.7 and nothing more", 25), "broken");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(kinds),    RLX_TEST(charsets),     RLX_TEST(plain),    RLX_TEST(html),
        RLX_TEST(html_odd), RLX_TEST(html_hostile), RLX_TEST(markdown), RLX_TEST(csv),
        RLX_TEST(docx),     RLX_TEST(pdf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
