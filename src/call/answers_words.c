/* The vocabulary of the rules: light words, kindred words, stems. General for small businesses; no
 * word of a test is here for the test's sake. */
#include <stdlib.h>
#include <string.h>

#include "call/answers_read.h"
#include "call/words.h"

/* clang-format off */
static const char *const light =
    "a|an|the|this|that|these|those|it|its|i|me|my|mine|you|your|yours|we|us|our|ours|they|them|"
    "their|he|she|him|her|his|one|ones|y'all|myself|yourself|"
    "am|is|are|was|were|be|been|being|do|does|did|done|doing|have|has|had|having|can|could|will|"
    "would|shall|should|may|might|must|not|no|gonna|going|supposed|"
    "what|which|who|whom|whose|where|when|why|how|and|or|but|so|if|as|than|then|because|to|of|"
    "for|with|in|on|at|from|by|about|into|onto|over|out|up|off|down|through|around|near|between|"
    "during|until|till|under|per|via|within|like|"
    "any|some|all|both|each|every|either|much|many|more|most|few|lot|lots|bit|little|very|too|"
    "also|just|only|even|still|ever|right|really|exactly|specifically|currently|usually|normally|"
    "typically|actually|basically|possibly|maybe|else|there|here|now|again|"
    "get|gets|got|getting|take|takes|taking|make|makes|want|wants|need|needs|use|uses|using|go|"
    "goes|give|gives|giving|let|see|know|tell|say|help|ask|put|look|looking|come|comes|coming|"
    "came|offer|offers|provide|provides|handle|deal|try|happen|happens|expect|allow|allowed|able|"
    "possible|mean|"
    "guys|guy|folks|people|someone|somebody|anyone|anybody|everyone|person|thing|things|stuff|"
    "something|anything|everything|kind|kinds|type|types|sort|sorts|way|ways|form|forms|option|"
    "options|"
    "place|company|business|team|staff|shop|store|location|house|home|day|days|time|times|today|"
    "moment|please|thanks|thank|okay|ok|yes|yeah|well|hello|hi|hey|um|uh|question|info|"
    "information|policy|policies|"
    "cause|'cause|roughly|approximately|total|usual|normal|typical|regular|average|general|"
    "certain|available|availability|service|services|work|works|working|do|run|would've|ahead|"
    "able|along|own|technician|technicians|tech|worker|workers|crew|professional|professionals|"
    "expert|experts|specialist|specialists|pro|pros|employee|employees|friendly|part|yet|well|"
    "lady|sir|madam|ma'am|'em|pretty|quite|single|whole|bunch|likes|liked|advance|across|another|"
    "job|outside|inside|behind|beside|provided|providing|offered|offering|needed|wanted|real|good|"
    "nice|great";

/* Kindred words: a word of the utterance is no stranger to an answer that has another one of its
 * group. Stems. */
static const char *const groups[] = {
    "cost|pric|charg|fee|rat|pay|bill|expens|dollar|damag|money|amount|cheap|fre|grati|"
    "complimentary|includ|expensiv",
    "quot|estimat|bid|evaluation|ballpark",
    "open|clos|hour|tim|schedul|weekday|weekend|week|daily|morn|even|afternoon|sunday|saturday|"
    "monday|tuesday|wednesday|thursday|friday|start|begin|end|finish",
    "locat|address|find|direction|offic|street|situat|map|build|road|avenu|local|clinic|practic",
    "area|serv|cover|region|neighborhood|city|town|zon|county|travel|far|distanc|mil|radiu|"
    "district|locality|suburb",
    "visit|trip|arriv|send|dispatch|appointment|stop",
    "soon|fast|quick|early|today|tomorrow|availabl|now|next|wait|immediat|asap|earliest|soonest",
    "card|visa|mastercard|amex|credit|debit|discover|plastic",
    "payment|pay|method|accept",
    "warranty|guarant",
    "fix|repair|restor|maintain|maintenanc|servic",
    "install|installation|put|fit|mount|set|instal",
    "replac|swap|new|replacement|exchang|chang",
    "clog|block|unclog|clear|clean|snak|plug|unblock|blockag",
    "emergency|urgent",
    "night|overnight|nighttim|even",
    "discount|deal|coupon|special|promotion|promo|sav|sal|voucher|reduc|reduction",
    "senior|elderly|retir|pensioner|citizen",
    "veteran|military|army|servicemember",
    "kid|child|children|daughter|son|toddler|boy|girl|baby|pediatric|youngster|infant",
    "insur|insuranc|network|coverag",
    "park|lot|garag",
    "cancel|cancell|cancellation|calloff",
    "reschedul|mov|postpon|chang",
    "tooth|teeth|dental|dentist",
    "whit|bleach|whiten|brighten",
    "appointment|book|reservation|reserv|schedul|slot|session|meet",
    "sedation|sedat|sleep|gas|asleep",
    "nervou|scar|anxiou|afraid|fear|anxiety",
    "monthly|installment|financ|month|instalment|spread",
    "licens|certif|certifi|accredit|qualif|qualifi|bond|credential",
    "toothach|ach|hurt|pain|sor|painful",
    "brok|break|chip|crack|broken|down",
    "new|first|begin|start|join|becom|sign|initial|enroll|newcomer",
    "tabl|reservation|seat|reserv",
    "menu|food|dish|eat|meal",
    "vegetarian|meatless|veggi",
    "takeout|takeaway|carryout|pickup|pick|collect",
    "ship|shipment|mail|email|deliver|delivery",
    "wifi|internet|wireless|wi|fi|onlin|web",
    "husband|wif|spous|partner",
    "sick|ill|unwell",
    "small|littl|compact|tiny",

    "pet|animal|furry",
    "dog|puppy",
    "cat|kitten",
    "member|membership|join|subscription|subscrib",
    "refund|return|exchang|money|reimburs",
    "phon|number|contact|reach|telephon",
    "car|vehicl|auto|automobil",
    "hair|haircut|cut|trim",
    "color|dye|tint",
    "walk|walkin|drop",
    "wheelchair|accessibl|ramp|disabl|handicap|accessibility|disability|mobility",
    "class|lesson|cours|teach|tutor|learn",
    "long|last|duration|minut|hour|length",
    "document|paperwork|paper",
    "owner|own|found|founder",
    "smok|smoker|cigarett|vap",
    "pool|swim",
    "checkin|check|chequ|arriv|arrival",
    "exam|examination|checkup",
    "group|party|crowd",
    "bring|carry|along|deliver|delivery|transport",
};
/* clang-format on */

_Static_assert(sizeof(groups) / sizeof(*groups) <= 64, "the groups are bits of 64");

bool rlx_word_is_light(const char *word)
{
    size_t n = strlen(word);
    char one[24];
    if (rlx_word_in(word, light))
        return true;
    if (n < 5 || n >= sizeof(one) || word[n - 1] != 's' || word[n - 2] == 's')
        return false;
    memcpy(one, word, n - 1);
    one[n - 1] = '\0';
    return rlx_word_in(one, light);
}

uint64_t rlx_word_groups(const char *stem)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
        if (rlx_word_in(stem, groups[i]))
            bits |= 1ULL << i;
    }
    return bits;
}

/* Whether `longer` is `shorter` with an ending that makes a word of kin. */
static bool is_derived(const char *shorter, const char *longer)
{
    size_t n = strlen(shorter);
    /* A charger is no price. */
    return n >= 4 && !(rlx_word_groups(shorter) & RLX_GROUP_MONEY) &&
           !strncmp(shorter, longer, n) &&
           rlx_word_in(longer + n, "er|or|al|y|ion|ation|ment|ist|ance|ery|ly|ive|iv");
}

bool rlx_words_kindred(const char *a, const char *b)
{
    return !strcmp(a, b) || (rlx_word_groups(a) & rlx_word_groups(b)) || is_derived(a, b) ||
           is_derived(b, a);
}

static bool ends(const char *word, size_t length, const char *suffix)
{
    size_t n = strlen(suffix);
    return length > n && !memcmp(word + length - n, suffix, n);
}

/* Cuts what inflection adds; rough, but the same for both sides of a comparison. */
char *rlx_word_stem(TALLOC_CTX *ctx, const char *word)
{
    char *stem = talloc_strdup(ctx, word);
    if (!stem)
        return NULL;
    size_t n = strlen(stem);
    if (ends(stem, n, "'s"))
        n -= 2;
    if (n > 4 && ends(stem, n, "ies")) {
        n -= 2;
        stem[n - 1] = 'y';
    } else if (n > 4 && (ends(stem, n, "sses") || ends(stem, n, "shes") || ends(stem, n, "ches") ||
                         ends(stem, n, "xes"))) {
        n -= 2;
    } else if (n > 3 && stem[n - 1] == 's' && stem[n - 2] != 's') {
        n--;
    }
    bool cut = false;
    if (n > 5 && ends(stem, n, "ing")) {
        n -= 3;
        cut = true;
    } else if (n > 4 && ends(stem, n, "ed")) {
        n -= 2;
        cut = true;
    }
    if (cut && n > 3 && stem[n - 1] == stem[n - 2] && !strchr("lsze", stem[n - 1]))
        n--;
    while (n > 3 && stem[n - 1] == 'e')
        n--;
    stem[n] = '\0';
    return stem;
}
