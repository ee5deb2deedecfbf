/* What the words do: greet, agree, say goodbye, ask for patience, refuse further calls. */
#include <string.h>

#include "call/phrases.h"
#include "call/words.h"

/* Whether the whole utterance is made of phrases of `core` and `rest`, with at least one of `core`.
 */
static bool made_of(const char *text, const char *const *core, const char *const *rest)
{
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool has_core = false, whole = false;
    if (!tmp || rlx_words_make(&words, tmp, text, true))
        goto out;
    unsigned i = 0;
    while (i < words.count) {
        unsigned a = rlx_words_match_any(&words, i, core);
        unsigned b = rest ? rlx_words_match_any(&words, i, rest) : 0;
        if (!a && !b)
            break;
        has_core = has_core || (a && a >= b);
        i += a > b ? a : b;
    }
    whole = words.count > 0 && i == words.count;
out:
    talloc_free(tmp);
    return whole && has_core;
}

/* clang-format off */
static const char *const backchannels[] = {
    "mm ?hm|hmm|mm", "mmhm", "mhm", "mmhmm", "mm hmm", "m hm|hmm", "uh huh", "uhhuh", "uh", "huh",
    "hm", "hmm", "ah ?ha", "aha", "um",
    "oh", "oh okay|ok", "okay", "ok", "okey", "kay", "k", "right", "yeah", "yea", "yah", "ya",
    "yep", "yup", "yes", "sure", "i see",
    "i understand", "i understand that", "understood", "got it", "i got it", "gotcha", "go on",
    "go ahead", "alright",
    "all right", "cool", "great", "good", "nice", "wow", "true", "exactly", "of course",
    "makes sense", "that makes sense", "i know",
    "fine", "perfect", "interesting", "really", "totally", "absolutely", "definitely", "correct",
    "indeed", "i hear you", "fair enough", NULL};

static const char *const answers[] = {
    "yes ?please|sir|ma'am", "no ?thanks|sir|ma'am", "no thank you", "yeah", "yep", "yup", "yea",
    "nope", "nah", "uh huh", "mm hm|hmm", "mhm", "mmhm",
    "uhhuh", "uh uh", "okay", "ok", "sure", "sure thing", "of course", "maybe", "perhaps",
    "possibly", "probably", "probably not", "correct", "right", "wrong",
    "that is right|correct|fine|good|okay|wrong|me|great|perfect", "absolutely ?not",
    "definitely ?not", "certainly ?not", "not really", "not yet", "not at all",
    "not today", "not now", "never", "always", "sometimes", "i think so", "i do not think so",
    "i guess ?so", "i do not know", "i do ?not", "i am ?not", "i am not sure", "not sure",
    "i would ?not",
    "i will ?not", "i can ?not", "i have ?not", "i did ?not", "it is ?not", "it does ?not",
    "we do ?not", "we are ?not", "fine", "sounds good|great|fine", "that works ?for ?me",
    "that sounds good|great|fine", "works for me", "go ahead", "please do",
    "exactly", "true", "false", "neither", "both", "either", "either one", "yes it is",
    "no it is not", "alright", "all right", "i am good", "perfect", "great", "good", NULL};
static const char *const answer_rest[] = {
    "please", "thanks", "thank you", "um", "uh", "er", "well", "oh", "so", "i", "hmm", "i mean",
    "just", NULL};

static const char *const farewells[] = {
    "bye ?bye", "goodbye", "good bye",
    ("have a ?very good|great|nice|wonderful|lovely|blessed|fantastic|pleasant ?rest ?of ?your|"
    "the day|one|evening|afternoon|morning|night|weekend|week|time"),
    "have a good|great|nice rest of your day|evening|week|weekend|night",
    "have a good|nice|great rest of the day|evening|week|weekend|night",
    "take care ?now",
    ("see you ?then|later|soon|tomorrow|there|monday|tuesday|wednesday|thursday|friday|saturday|"
    "sunday"), "see ya ?later", "talk to you later|soon|then|tomorrow", "speak ?to ?you later|soon",
    "talk later|soon",
    "that is all", "that is it", "that is everything", "that will be all|it",
    "that would be all|it", "nothing else", "no nothing else",
    "that is all i need|needed|wanted|want|have|had",
    "that is all i needed|wanted|want to know|hear|ask|say", "that is all i needed to know|hear",
    "i have ?got to go|run", "i got to go|run", "got to go|run", "i need to go|run|leave",
    "i have to hang up", "i must go", "i will let you go",
    "i am going to go ?now", "i am going to let you go", "i am hanging up ?now", "good night",
    "later", "so long", "farewell", "cheerio", "ciao", "until then|next time|tomorrow",
    "catch you later", "no more questions", "i have no more|other|further questions",
    "i think that is all|it|everything", "i do not have any other|more|further questions",
    "that does it", "you have a good|great|nice one|day|evening|night|weekend|afternoon", NULL};
static const char *const farewell_rest[] = {
    "okay", "ok", "oh", "thanks", "thank you", "so|very much", "a lot",
    "for ?all ?of your|the help|time|call|information|info|patience|assistance|answer|answers",
    "for calling ?me|us", "for everything|that|now|today|me", "no", "yes", "yeah",
    "yep", "great", "good", "perfect", "cool", "awesome", "wonderful", "excellent", "alright",
    "all right", "well", "then", "now", "you too", "same to you", "and", "sir", "ma'am", "right",
    "sure", "nope", "um", "uh", "mm hm|hmm", "got it", "i appreciate it|that|you|your help|time",
    "i really appreciate it", "really appreciate it", "appreciate it", "i think", "i guess",
    "sounds good|great", "i am not interested", "not interested", "no thanks", "no thank you",
    "we are not interested", "i am good", "we are good", "i am all set", "all set", "so",
    "everyone",
    "for helping ?me ?out", "you have been ?very|so|really ?very helpful",
    "you were ?very|so helpful", "that is great|perfect|fine|helpful|good", "very helpful", "just",
    "nice talking|speaking to|with you", "it was nice|great talking|speaking to|with you", NULL};

static const char *const greetings[] = {
    "hello", "hi", "hey", "hallo", "hullo", "yo", "good morning|afternoon|evening|day",
    "who is this ?please", "who are you", "who is it", "who is there", "who is calling ?please",
    "who is speaking ?please", "who am i speaking ?to|with",
    "who am i talking ?to|with", "who do i have",
    "may|can|could i ask who is calling|this|speaking", "can i ask who this is",
    "may i ask who this is", "who is that", "who did you say ?you ?are|were", "who is on the line",
    "how can|may i help ?you", "can|may i help you", "what is up",
    "is anyone|anybody|someone|somebody there", "are you there", "anyone|anybody there",
    "can you hear me", "speaking", "this is he|she|him|her|me", "how are you ?doing|today", NULL};
static const char *const greeting_rest[] = {
    "yes", "yeah", "yep", "um", "uh", "huh", "oh", "okay", "ok", "please", "and", "there", "sir",
    "ma'am", "sorry", "so", "mm hm", "well", NULL};

static const char *const hallucinations[] = {
    "you", "thank you", "thank you ?so|very much", "thanks", "bye ?bye", "goodbye",
    "thanks|thank ?you for watching|listening", "thanks|thank ?you for watching this|the|my video",
    "please subscribe", "subscribe", "like and subscribe", "please like and subscribe",
    "do not forget to subscribe ?to ?my|the ?channel", "see you next time",
    "see you in the next video|one", "i will see you in the next video|one ?", "the end", "the",
    "so", "i", "a", "subtitles by the amara org community", "subtitles|captions by *",
    "transcription by *",
    "amara org", "blank audio", "music", "music playing", "applause", "silence", "laughter",
    "foreign", "inaudible", NULL};
/* clang-format on */

bool rlx_is_backchannel(const char *text)
{
    return made_of(text, backchannels, NULL);
}

/* Vowels, m, n and h; `*nasals` counts the m and n. */
static bool is_hummed(const char *word, unsigned *nasals)
{
    if (!strcmp(word, "and"))
        return true;
    for (const char *p = word; *p; p++) {
        if (!strchr("aeiouymnh'", *p))
            return false;
        *nasals += *p == 'm' || *p == 'n';
    }
    return true;
}

bool rlx_is_hum(const char *text)
{
    struct rlx_words words;
    unsigned nasals = 0;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool hum = tmp && !rlx_words_make(&words, tmp, text, false) && words.count <= 4;

    for (unsigned i = 0; hum && i < words.count; i++)
        hum = is_hummed(words.word[i], &nasals) &&
              !rlx_word_in(words.word[i], "no|any|many|money|name|none|home|human|noon|nine|union");
    talloc_free(tmp);
    return hum && nasals >= 2;
}

bool rlx_is_urgent(const char *text)
{
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool urgent = false;

    if (tmp && !rlx_words_make(&words, tmp, text, true))
        for (unsigned i = 0; i < words.count && !urgent; i++)
            urgent =
                rlx_word_in(words.word[i], "stop|wait|no|not|what|hold|hang|sorry|excuse|pardon|"
                                           "listen|who|why|when|where|how|but|enough|quiet|"
                                           "moment|minute|second|question|slow|slower|again");
    talloc_free(tmp);
    return urgent;
}

bool rlx_is_short_answer(const char *text)
{
    return rlx_text_words(text) <= 6 && made_of(text, answers, answer_rest);
}

bool rlx_is_farewell(const char *text)
{
    return made_of(text, farewells, farewell_rest);
}

/* "this is John Smith", "John speaking", "Smith residence": how people answer a phone. */
static bool is_self_introduction(const char *text)
{
    struct rlx_words words;
    bool is = false;
    TALLOC_CTX *tmp = talloc_new(NULL);
    if (!tmp || rlx_words_make(&words, tmp, text, true))
        goto out;
    unsigned i = 0;
    for (unsigned n;
         (n = rlx_words_match_any(&words, i,
                                  (const char *const[]){"hello", "hi", "hey", "yes", "yeah",
                                                        "good morning|afternoon|evening", NULL}));)
        i += n;
    unsigned left = words.count - i;
    if (i >= words.count)
        goto out;
    if (rlx_words_match(&words, i, "this is") || rlx_words_match(&words, i, "you have reached"))
        is = left <= 5 && !strchr(text, '?') &&
             !rlx_words_match(&words, i, "this is not|a|an|the|my|ridiculous|too|so|what|why|how");
    else
        is = left <= 3 && left > 1 &&
             rlx_word_in(words.word[words.count - 1], "speaking|residence|here") &&
             !rlx_word_in(words.word[words.count - 2], "you|who|to|with|not|is|am|are|over|right");
out:
    talloc_free(tmp);
    return is;
}

bool rlx_is_greeting(const char *text)
{
    return made_of(text, greetings, greeting_rest) || is_self_introduction(text);
}

/* "[BLANK_AUDIO]", "(music)", "*coughs*": notes about sound, not words. */
static bool is_sound_note(const char *text)
{
    static const char opening[] = "[(*{<", closing[] = "])*}>";
    bool any = false;
    for (const char *at = text; *at;) {
        if (strchr(" \t\r\n.,!?-", *at) || (unsigned char)*at >= 0x80) {
            at++;
            continue;
        }
        const char *kind = strchr(opening, *at);
        const char *stop = kind ? strchr(at + 1, closing[kind - opening]) : NULL;
        if (!stop)
            return false;
        any = true;
        at = stop + 1;
    }
    return any;
}

bool rlx_is_hallucination(const char *text)
{
    if (!text || is_sound_note(text) || rlx_text_words(text) == 0)
        return true;
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool is = false;
    if (tmp && !rlx_words_make(&words, tmp, text, true)) {
        unsigned n = rlx_words_match_any(&words, 0, hallucinations);
        is = n > 0 && n == words.count;
        /* One phrase said over and over is how the recogniser fills silence. */
        for (unsigned i = n; !is && n > 0 && words.count % n == 0 && i < words.count; i += n) {
            if (rlx_words_match_any(&words, i, hallucinations) != n)
                break;
            is = i + n == words.count;
        }
    }
    talloc_free(tmp);
    return is;
}

/* clang-format off */
static const char *const holds[] = {
    "hold on ?a|one|just ?a ?second|minute|moment|sec", "hold the line", "hold please",
    "please hold ?on", "can|could|would you ?please hold ?on", "can|could you ?please wait",
    "hang on ?a ?second|minute|moment|sec", "one second|sec|moment|minute",
    "just ?a|one second|sec|moment|minute", "a moment please",
    "wait a second|minute|sec|moment|bit", "wait wait",
    "give me a|one|just|two ?a ?few second|seconds|sec|moment|minute|minutes|bit", "bear with me",
    "i will be right back", "be right back", "i will be back in a *",
    ("let me ?just ?go ?and get|grab|find|fetch my|it|that|some|something|someone|him|her|the|a|"
    "pen|paper"), "let me ?just check|think|look|see", "let me ?just write ?this|that|it down",
    "let me ?just ask ?my|him|her|someone",
    "let me ?just pull|bring ?that|it|this|my ?* up",
    "let me ?just put|turn|close|move|step|sit|pull", "let me ?just get to", "stay on the line",
    "i need a second|moment|minute", NULL};
static const char *const hold_refusals[] = {
    "for one|a|just second|minute|moment", "let me ?just get|see this|that straight",
    "let me get back", "let me ask you", "let me get a quote|price|appointment|call|time|slot",
    "let me see your|you", "not hold|hang on",
    "wait a second|minute|moment|sec you|that|what|why|i|so|is|did|how|no",
    "let me check with you", "every|any one second|minute", "let me think about it",
    "let me get the manager", NULL};
/* clang-format on */

bool rlx_is_hold_request(const char *text)
{
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool is = false;
    if (!tmp || rlx_words_make(&words, tmp, text, true) || words.count > 18 || strchr(text, '?'))
        goto out;
    if (words.count <= 2 && words.count > 0 && rlx_word_in(words.word[0], "wait"))
        is = words.count == 1 || rlx_word_in(words.word[1], "wait|please");
    unsigned length = 0;
    int at = rlx_words_find(&words, 0, holds, &length);
    if (at >= 0 && rlx_words_find(&words, 0, hold_refusals, NULL) < 0)
        is = at <= 5 || (unsigned)at + length + 2 >= words.count;
out:
    talloc_free(tmp);
    return is;
}
