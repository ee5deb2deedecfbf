/* What a model may ask for by itself. Pure. */
#ifndef RLX_CALL_TOOLS_H
#define RLX_CALL_TOOLS_H

/* The tools in the models' JSON, NULL = none. llm_name: the chain's (rlx_llm_name). The small local model knows no tools:
 * describing them would only confuse it. */
const char *rlx_tools_for(const char *llm_name);

#endif
