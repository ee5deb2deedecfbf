#include "cli/demo.h"

/* A file of src/cli/demo/ as a text in the program. */
#define BUILT_IN(symbol, file)                                                                     \
    __asm__(".section .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"" RLX_DEMO_DIR         \
            "/" file "\"\n.byte 0\n.previous\n")

BUILT_IN(rlx_demo_agent, "agent.json");
BUILT_IN(rlx_demo_knowledge, "knowledge.json");
BUILT_IN(rlx_demo_callee, "callee.txt");
