/* The form of an utterance: question, finished or not, asking for a detail. */
#include <ctype.h>
#include <string.h>

#include "call/phrases.h"
#include "call/words.h"

static const char *const wh_words = "what|which|who|whom|whose|where|when|why|how|what's|who's|"
                                    "where's|when's|how's|why's|whats|wheres|hows|whose";
static const char *const question_verbs =
    "do|does|did|is|are|was|were|can|could|will|would|should|shall|may|might|have|has|had|am|"
    "don't|doesn't|didn't|isn't|aren't|can't|couldn't|won't|wouldn't|shouldn't|haven't|hasn't|is't|"
    "wasn't|weren't|any";
static const char *const subjects =
    "you|i|we|they|he|she|it|there|this|that|these|those|your|my|our|their|the|a|an|someone|"
    "anyone|anybody|everything|somebody|all|any|people|both|either";

/* The last sentence of `text`, trailing quotes and spaces left out; points into text. */
static const char *last_sentence(const char *text, size_t *lengthp)
{
    size_t length = strlen(text);
    while (length > 0 &&
           (strchr(" \t\r\n\"')*_]", text[length - 1]) || (unsigned char)text[length - 1] >= 0x80))
        length--;
    size_t at = length;
    while (at > 0 && strchr(".?!", text[at - 1]))
        at--;
    while (at > 0) {
        bool space_follows = isspace((unsigned char)text[at]);
        if (text[at - 1] == '\n' || (space_follows && strchr(".?!", text[at - 1])))
            break;
        at--;
    }
    while (at < length && isspace((unsigned char)text[at]))
        at++;
    *lengthp = length - at;
    return text + at;
}

bool rlx_is_question(const char *text)
{
    if (!text)
        return false;
    size_t length;
    const char *last = last_sentence(text, &length);
    if (length == 0)
        return false;
    if (last[length - 1] == '?' || (length > 1 && last[length - 2] == '?'))
        return true;
    /* "What's your name? Thanks." still waits for the answer. */
    if (length > 16 || last == text)
        return false;
    static const char *const courtesies[] = {"thanks",         "thank you", "please",
                                             "take your time", "okay",      NULL};
    const char *before = last;
    while (before > text && isspace((unsigned char)before[-1]))
        before--;
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool courtesy = tmp && !rlx_words_make(&words, tmp, last, true) &&
                    rlx_words_match_any(&words, 0, courtesies) == words.count;
    talloc_free(tmp);
    return courtesy && before > text && before[-1] == '?';
}

/* A question by the order of its words, from word `i` of unexpanded words. */
static bool question_at(const struct rlx_words *words, unsigned i)
{
    if (i >= words->count)
        return false;
    if (rlx_word_in(words->word[i], wh_words))
        return words->count - i >= 2 || words->count == 1;
    /* "do it", "have a nice day" are no questions. */
    if (rlx_words_match(words, i, "do it|that|this|these|those") ||
        rlx_words_match(words, i, "have a|an|it|the"))
        return false;
    return i + 1 < words->count && rlx_word_in(words->word[i], question_verbs) &&
           rlx_word_in(words->word[i + 1], subjects);
}

bool rlx_is_asking(const char *text)
{
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool asking = false;
    if (!text || !tmp)
        goto out;
    if (strchr(text, '?')) {
        asking = true;
        goto out;
    }
    char *bare = rlx_text_bare(tmp, text);
    if (!bare || rlx_words_make(&words, tmp, bare, false))
        goto out;
    unsigned i = 0;
    while (i < words.count &&
           rlx_word_in(words.word[i], "and|but|or|then|no|also|in|for|at|on|about"))
        i++;
    asking = question_at(&words, i) ||
             rlx_words_match(&words, i,
                             "about|till|until|by|for|to|at|from|in what|which|how|when|where") > 0;
out:
    talloc_free(tmp);
    return asking;
}

/* clang-format off */
static const char *const open_words =
    "and|or|but|so|because|the|a|an|my|your|his|her|our|their|its|to|of|for|with|in|on|at|from|"
    "by|about|into|um|uh|er|erm|like|if|than|as|are|was|were|i|i'm|it's|you're|we're|they're|"
    "he's|she's|that's|"
    "we|they|very|really|some|any|every|until|since|while|during|between|around|through|also|"
    "maybe|plus|without|i'd|i'll|we'd|i've|gonna|wanna|would|could|should|will|can|has|been|be|"
    "am|does|did|do|is|whose|"
    "what|which|who|where|when|why|how|these|those|not|don't|doesn't|can't|couldn't|won't|didn't|"
    "isn't|trying|wondering|going|regarding|mister|mr|mrs|doctor|dr|ms|number's|name's|having|"
    "looking|calling|let's|let|uhm|hmm|well|actually";
/* May well end a finished question or answer. */
static const char *const stranded =
    "to|of|for|with|in|on|at|from|by|about|is|are|do|did|does|can|will|be|was|were|would|could|"
    "not|going|like|through|around|looking|calling|having|am|don't|doesn't|can't|won't|didn't|"
    "isn't|has|when|why|how|where|what|any|some|plus|these|those|can|should";
static const char *const subject_starts[] = {
    ("i|we|he|she|they|it|you|there|this|that|my|the|our|your|a|an|these|those|someone|somebody|"
    "it's|i'm|we're|that's|i'd|i'll|i've|there's|we've|he's|she's|they're|you're|let's"), NULL};
static const char *const number_intros[] = {
    "my|the ?phone|cell|mobile|home|account|order|best number is|it's", "my|the number's",
    "phone|cell|mobile number is", "number is", "reach me at|on", "call me at|on|back at", NULL};
/* clang-format on */

/* "my number is 415 555": fewer than ten digits of a phone number. */
static bool is_partial_number(const struct rlx_words *words)
{
    unsigned length = 0, digits = 0;
    int at = rlx_words_find(words, 0, number_intros, &length);
    if (at < 0)
        return false;
    for (unsigned i = (unsigned)at + length; i < words->count; i++) {
        for (const char *c = words->word[i]; *c; c++)
            digits += isdigit((unsigned char)*c) != 0;
        if (!isdigit((unsigned char)*words->word[i]))
            return false;
    }
    return digits > 2 && digits < 10;
}

static bool is_unfinished(const char *text, const struct rlx_words *words, bool asked)
{
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    if (length > 2 &&
        (!memcmp(text + length - 3, "...", 3) || !memcmp(text + length - 3, "\xE2\x80\xA6", 3)))
        return true;
    if (length > 0 && (text[length - 1] == ',' || text[length - 1] == '-'))
        return true;
    const char *last = words->word[words->count - 1];
    if (is_partial_number(words))
        return true;
    if (!rlx_word_in(last, open_words))
        return false;
    /* "who is it for?", "I don't know what it is": an ending that is whole. */
    bool has_wh = false;
    for (unsigned i = 0; i + 1 < words->count; i++)
        has_wh = has_wh || rlx_word_in(words->word[i], wh_words);
    if ((asked || has_wh) && words->count > 2 && rlx_word_in(last, stranded))
        return false;
    return words->count > 1 ||
           !rlx_word_in(
               last, "what|why|how|where|when|who|maybe|really|not|well|actually|hmm|is|can|like");
}

enum rlx_completeness rlx_text_completeness(const char *text)
{
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    enum rlx_completeness result = RLX_TEXT_NEUTRAL;
    if (!text || !tmp || rlx_words_make(&words, tmp, text, false) || words.count == 0)
        goto out;
    size_t length;
    const char *last = last_sentence(text, &length);
    char mark = length > 0 ? last[length - 1] : ' ';
    bool asked = mark == '?';
    if (rlx_is_short_answer(text) || rlx_is_farewell(text) || rlx_is_opt_out(text)) {
        result = RLX_TEXT_COMPLETE;
        goto out;
    }
    if (is_unfinished(text, &words, asked)) {
        result = RLX_TEXT_UNFINISHED;
        goto out;
    }
    bool sentence = (mark == '.' || mark == '!') && rlx_text_words(last) >= 4 &&
                    !rlx_words_make(&words, tmp, last, false) &&
                    rlx_words_match_any(&words, 0, subject_starts) > 0;
    if (sentence || rlx_is_greeting(text) || (asked && rlx_text_words(last) >= 3))
        result = RLX_TEXT_COMPLETE;
out:
    talloc_free(tmp);
    return result;
}

/* clang-format off */
static const char *const details[] = {
    ("phone|cell|mobile|callback|contact|telephone|account|card|order|reference|policy|member|"
    "membership|confirmation|policyholder|license|social|security|case|ticket|id|tracking|vin|"
    "serial number"), "number", "spell ?that|it|your", "spelling", "address", "e mail", "email",
    "zip ?code", "postal code", "postcode", "digits",
    "date of birth", "birth ?date", "birthday", "code", "extension", "pin", "street", NULL};
static const char *const requests[] = {
    "what is|are ?the ?best|your|last|a|good|phone|email|full|exact|that|account",
    "which ?phone number|address|email",
    "can|could|may|would i ?please ?just have|get|take|grab|confirm",
    ("can|could|would|will you ?please ?just give|tell|spell|confirm|provide|repeat|share|read|"
    "enter|verify|say|type|key|let"),
    "please ?just give|tell|spell|confirm|provide|repeat|share|read|enter|verify|say|type",
    "do you have a|an|your|the ?good|phone|best ?contact|email|callback|phone",
    "i need|require your|the|a", "i will ?just ?also need your|the|a", "we ?will need your|the|a",
    "how do|would you spell", "how is|do that|it|you spelled|spell",
    "tell|give|read me your|the|that", "go ahead with|and", "where should|can|do we|i send",
    "what number|address|email|phone|zip|street|digits", "may|can|could i ask for your|the",
    "and your|the", "is there a ?good|better ?phone number",
    "your ?full|phone|email|zip|street ?phone|email|mobile ?number|address|code please",
    "at what number|address|email", "enter|say|spell your|the", NULL};
static const char *const no_details[] = {
    "number of", ("is|was this|that|it|your ?the ?right|correct|still ?a|the|your ?right|correct|"
    "best ?good number|address|email"), "do you want|need our|my|the|us",
    "would you like our|my|me|us|the|to", "shall i|we", "should i|we send|call|text",
    "our number|address|email|phone", "dress code", "what is our", "code for", "did i|you get",
    "have you got our", "what is the number one", "address that|this|those|these|it|your concern",
    "to address", NULL};
/* clang-format on */

static enum rlx_detail which_detail(const struct rlx_words *words)
{
    static const struct {
        enum rlx_detail detail;
        const char *const patterns[2];
    } kinds[] = {
        {RLX_DETAIL_EMAIL, {"email", "e mail"}},
        {RLX_DETAIL_SPELLING, {"spell|spelling|spelled"}},
        {RLX_DETAIL_DATE, {"birth|birthday|birthdate"}},
        {RLX_DETAIL_DIGITS, {"zip|postal|postcode"}},
        {RLX_DETAIL_ADDRESS, {"address|street"}},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (size_t j = 0; j < 2 && kinds[i].patterns[j]; j++) {
            const char *const list[] = {kinds[i].patterns[j], NULL};
            if (rlx_words_find(words, 0, list, NULL) >= 0)
                return kinds[i].detail;
        }
    return RLX_DETAIL_DIGITS;
}

enum rlx_detail rlx_asked_detail(const char *text)
{
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    enum rlx_detail detail = RLX_DETAIL_NONE;
    if (!text || !tmp)
        goto out;
    size_t length;
    const char *last = last_sentence(text, &length);
    /* A closing "Thank you." or "Take your time." hides the request before it. */
    char *part = talloc_strndup(tmp, last, length);
    if (part && rlx_text_words(part) <= 3 && last > text && !strchr(part, '?')) {
        char *head = talloc_strndup(tmp, text, (size_t)(last - text));
        last = head ? last_sentence(head, &length) : last;
        part = head ? talloc_strndup(tmp, last, length) : part;
    }
    if (!part || rlx_words_make(&words, tmp, part, true))
        goto out;
    if (rlx_words_find(&words, 0, details, NULL) >= 0 &&
        rlx_words_find(&words, 0, requests, NULL) >= 0 &&
        rlx_words_find(&words, 0, no_details, NULL) < 0)
        detail = which_detail(&words);
out:
    talloc_free(tmp);
    return detail;
}

bool rlx_asks_for_detail(const char *text)
{
    return rlx_asked_detail(text) != RLX_DETAIL_NONE;
}
