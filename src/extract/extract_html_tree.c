/* Gumbo with an allocator of our own: everything is in an arena, which is dropped as a whole. So a
 * page can't take more memory than the arena has, a page made to be slow is given up (each token
 * allocates, so the clock is looked at here), and gumbo's own clean-up, which recurses as deep as
 * the page is nested, never runs. */
#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "extract/html_tree.h"

#define BLOCK (1u << 20)
#define LOOK_EVERY 64 /* allocations between two looks at the clock */

struct block {
    struct block *next;
    _Alignas(max_align_t) char bytes[];
};

struct rlx_html_tree {
    struct block *blocks;
    char *at;
    size_t left, total;
    unsigned count;
    int64_t until_ms;
    jmp_buf give_up;
    int why;
    GumboOutput *output;
};

/* CPU time of this thread: a busy machine does not make a page slow. */
static int64_t cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *arena_take(void *arg, size_t size)
{
    struct rlx_html_tree *tree = arg;
    size_t wanted = (size + 15) & ~(size_t)15;

    if (++tree->count % LOOK_EVERY == 0 && cpu_ms() > tree->until_ms) {
        tree->why = RLX_ETOOBIG;
        longjmp(tree->give_up, 1);
    }
    if (wanted > tree->left) {
        size_t length = wanted > BLOCK ? wanted : BLOCK;
        if (size > RLX_HTML_MEMORY_MAX || length > RLX_HTML_MEMORY_MAX - tree->total) {
            tree->why = RLX_ETOOBIG;
            longjmp(tree->give_up, 1);
        }
        struct block *block = malloc(sizeof *block + length);
        if (!block) {
            tree->why = -ENOMEM;
            longjmp(tree->give_up, 1);
        }
        block->next = tree->blocks;
        tree->blocks = block;
        tree->at = block->bytes;
        tree->left = length;
        tree->total += length;
    }
    void *taken = tree->at;
    tree->at += wanted;
    tree->left -= wanted;
    return taken;
}

static void arena_give(void *arg, void *memory)
{
    (void)arg;
    (void)memory;
}

int rlx_html_tree_create(struct rlx_html_tree **treep, const char *text, size_t length)
{
    struct rlx_html_tree *tree = calloc(1, sizeof *tree);

    if (!tree)
        return -ENOMEM;
    tree->until_ms = cpu_ms() + RLX_HTML_CPU_MS;
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = arena_take;
    options.deallocator = arena_give;
    options.userdata = tree;
    options.max_errors = 0;
    if (setjmp(tree->give_up)) {
        int why = tree->why;
        rlx_html_tree_free(tree);
        return why;
    }
    tree->output = gumbo_parse_with_options(&options, text, length);
    *treep = tree;
    return 0;
}

const GumboNode *rlx_html_tree_root(const struct rlx_html_tree *tree)
{
    return tree->output->root;
}

void rlx_html_tree_free(struct rlx_html_tree *tree)
{
    while (tree && tree->blocks) {
        struct block *block = tree->blocks;
        tree->blocks = block->next;
        free(block);
    }
    free(tree);
}
