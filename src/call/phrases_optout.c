/* Opt-out: the callee forbids further calls. Phrases, never single words; a negated or reported one
 * does not count. */
#include <string.h>

#include "call/phrases.h"
#include "call/words.h"

/* clang-format off */
/* A wish in itself. */
static const char *const wishes[] = {
    "stop|quit|cease calling",
    ("stop|quit|cease phoning|ringing|contacting|texting|messaging|dialing|bothering|harassing|"
    "spamming"), "cease and desist",
    "stop all|the|these|your ?the|of|your|these ?these ?phone|sales calls|calling",
    "take|get me|us off",
    "take my|our|this ?phone|cell|home|mobile name|number|information|info|details off",
    "taken|took me|us off", "be|get|been|getting|being taken off", "take off my ?phone number|name",
    "remove|delete|erase me|us",
    ("remove|delete|erase my|our|this ?phone|cell|home|mobile|contact number|name|information|"
    "info|details|contact|data|record"), "be|get|been|being removed|deleted from|off",
    "get my ?phone name|number off|out", "get off ?of your|the|this list|lists", "want off",
    "cross|strike me|us off", "unsubscribe ?me", "opt ?me|us out", "opting out",
    "lose|forget|discard my|this ?phone number",
    "no more ?of ?phone|sales|these|your ?phone|sales calls|calling",
    "do not call list|registry|lists",
    "not want|like|need|wish any|more|these|your ?more ?of ?these|your ?phone|sales calls",
    "not want|like|wish you ?people|guys ?to call|calling|contact|phone ?me|us",
    "not want|like|wish to be called|contacted|phoned|bothered",
    ("not want|like|wish to get|receive|take any|more|these|your|calls ?more ?of ?these|"
    "your ?phone|sales ?calls"),
    "not want|like|wish to hear from you", "not want|wish calls ?from ?you",
    "not have|has ?my permission|consent to call", "not consent to calls|being|these|your",
    "revoke|withdraw my consent", "leave me|us alone", "never hear from you again",
    "not be calling me|us|this|here", "should|must not call me|us|here|this", NULL};

/* "do not call", with what may follow it; see is_unlimited(). */
static const char *const prohibitions[] = {
    "do not ?you ?ever|please|even|dare ?to call|contact|phone|ring|bother|text|dial",
    "never ?ever call|contact|phone|ring|bother|text", NULL};

/* "stop calling me sir" and the like is about words. */
static const char *const forms_of_address =
    "sir|ma'am|madam|miss|mister|mr|mrs|ms|names|name|honey|dear|sweetie|sweetheart|buddy|pal|"
    "dude|bro|that|a|an|crazy|stupid|babe|darling|doctor";

/* After the object of "do not call me": everything that leaves the prohibition whole. */
static const char *const whole_after[] = {
    "again", "anymore", "any more", "ever", "please", "back ?again|ever|anymore", "i", "thanks",
    "thank", "or", "okay|ok", "you", "no", "never", "bye|goodbye", "it", "we", "my", "this is",
    "not", "just",
    "take", "stop", "remove", "for any", "about this|that|it|your|any|insurance|warranties",
    "with this|these|your", "sir|ma'am", "people|guys", "from this|that|your|any|now", "because",
    "under", "as", "at all", "at this",
    "at any", "on this|my number", "on this phone|line",
    "and do|take|remove|please|i|if|stop|goodbye|thanks|thank|leave|lose|never|delete|put|that",
    "lose|delete|put|leave", "that", "your", "the", NULL};

/* Words between a negation and the wish that carry the negation over: "not SAY stop calling",
 * "not WANT YOU TO take me off". */
static const char *const bridges[] = {
    ("say|said|saying|mean|meant|ask|asked|asking|tell|told|request|requested ?you|them|him|her|"
    "anyone|to ?to ?please ?be"),
    "want|need|like|wish|require ?you|them|anyone|anybody|to ?people|guys ?to ?be",
    "have|going|trying|here|calling|able|allowed to ?be",
    "to ?be", "be|ever|just|really|please|even|actually|necessarily|yet",
    "think ?that ?i|you|we should|need|want|would ?to ?be",
    "asking|saying|telling that ?you ?should|to", NULL};
static const char *const hypotheses[] = {
    "if|when|because|since|unless|until|whenever ?you|they|he|she|we", NULL};
/* clang-format on */

static bool word_is(const struct rlx_words *words, unsigned i, const char *list)
{
    return i < words->count && rlx_word_in(words->word[i], list);
}

/* "won't you stop calling", "why don't you take me off": a demand in the form of a question. */
static bool is_demand(const struct rlx_words *words, unsigned negation)
{
    return word_is(words, negation + 1, "you") ||
           (negation >= 2 && word_is(words, negation - 1, "you") &&
            word_is(words, negation - 2, "do|will|would|can|could"));
}

static bool is_negated(const struct rlx_words *words, unsigned at)
{
    for (unsigned back = 1; back <= 7 && back <= at; back++) {
        unsigned i = at - back;
        if (!word_is(words, i, "not|never|nobody|without"))
            continue;
        unsigned bridge = at - i - 1;
        if (is_demand(words, i))
            return false;
        return bridge == 0 || rlx_words_match_any(words, i + 1, bridges) >= bridge;
    }
    return false;
}

/* The wish is about something else: "stop calling him", "take me off hold". */
static bool is_other_wish(const struct rlx_words *words, unsigned at, unsigned length)
{
    unsigned next = at + length;
    if (word_is(words, at, "stop|quit|cease") && length == 2)
        return word_is(words, next, "it|him|her|them|that|back|out|he|she|everyone|things") ||
               (word_is(words, next, "me|us") && word_is(words, next + 1, forms_of_address));
    if (word_is(words, at, "take|taken|took|get") && word_is(words, next - 1, "off"))
        return word_is(words, next, "hold|speaker|speakerphone|mute|guard|work|at|in|by") ||
               rlx_words_match(words, next,
                               "the|of speaker|hook|hold|phone|topic|roof|ground|road") > 0;
    if (word_is(words, at, "leave"))
        return word_is(words, next, "with|in|at|for");
    return false;
}

/* Whether a prohibition ("do not call", `length` words) forbids calls for good, and not only at a
 * time, somewhere, by a name. */
static bool is_whole_prohibition(const struct rlx_words *words, unsigned at, unsigned length)
{
    static const char *const objects[] = {
        "me",
        "us",
        "here",
        "this house|phone|line|place|office",
        "this ?phone|cell number",
        "my|our ?phone|cell|home|mobile number|phone|house|home|cell|line|mobile",
        NULL};
    unsigned next = at + length;
    if (at > 0 && word_is(words, at - 1, "i|we|they|he|she|why|people|who"))
        return false;
    unsigned from = at > 3 ? at - 3 : 0;
    int condition = rlx_words_find(words, from, hypotheses, NULL);
    if (condition >= 0 && (unsigned)condition < at && word_is(words, at - 1, "you|please"))
        return false;
    if (next >= words->count)
        return word_is(words, at, "do");
    unsigned object = rlx_words_match_any(words, next, objects);
    if (!object && !word_is(words, next, "again|anymore|any|please|ever|back"))
        return false;
    next += object;
    return next >= words->count || rlx_words_match_any(words, next, whole_after) > 0;
}

static bool is_bare_stop(const struct rlx_words *words)
{
    bool stop = false;
    for (unsigned i = 0; i < words->count; i++) {
        if (word_is(words, i, "stop"))
            stop = true;
        else if (!word_is(words, i, "please|just|okay|ok|um|uh"))
            return false;
    }
    return stop;
}

bool rlx_is_opt_out(const char *text)
{
    struct rlx_words words;
    TALLOC_CTX *tmp = talloc_new(NULL);
    bool is = false;
    if (!tmp || rlx_words_make(&words, tmp, text, true))
        goto out;
    is = is_bare_stop(&words);
    for (unsigned i = 0; !is && i < words.count; i++) {
        unsigned wish = rlx_words_match_any(&words, i, wishes);
        unsigned ban = rlx_words_match_any(&words, i, prohibitions);
        is = (wish && !is_other_wish(&words, i, wish) && !is_negated(&words, i)) ||
             (ban && is_whole_prohibition(&words, i, ban) && !is_negated(&words, i));
    }
out:
    talloc_free(tmp);
    return is;
}
