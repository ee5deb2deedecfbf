#include "call/tools.h"

#include <stddef.h>
#include <string.h>

const char *rlx_tools_for(const char *llm_name)
{
    static const char tools[] =
        "[{\"type\":\"function\",\"function\":{\"name\":\"end_call\",\"description\":\"Ends the phone call, after "
        "the words in say. Only when the caller has said goodbye or wants to stop.\",\"parameters\":{\"type\":"
        "\"object\",\"properties\":{\"say\":{\"type\":\"string\",\"description\":\"the last words\"}}}}}]";

    return strncmp(llm_name, "local", 5) ? tools : NULL;
}
