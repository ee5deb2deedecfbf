// The one file that speaks C++: libphonenumber has no C interface.
#include "api/phone_number.h"

#include <cstdio>
#include <cstring>
#include <string>

#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static bool possible(const PhoneNumberUtil &util, const PhoneNumber &number, const char **whyp)
{
    switch (util.IsPossibleNumberWithReason(number)) {
    case PhoneNumberUtil::IS_POSSIBLE:
        return true;
    case PhoneNumberUtil::TOO_SHORT:
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
        *whyp = "is too short for its country";
        return false;
    case PhoneNumberUtil::TOO_LONG:
        *whyp = "is too long for its country";
        return false;
    default:
        *whyp = "can't exist in its country";
        return false;
    }
}

extern "C" bool rlx_phone_possible(const char *e164, bool *validp, const char **whyp)
{
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    PhoneNumber number;

    if (validp)
        *validp = false;
    if (util.Parse(e164, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR) {
        *whyp = "is no phone number: its country code does not exist";
        return false;
    }
    if (!possible(util, number, whyp))
        return false;
    if (validp)
        *validp = util.IsValidNumber(number);
    return true;
}

extern "C" bool rlx_phone_region(const char *region)
{
    return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region) != 0;
}

extern "C" bool rlx_phone_e164(const char *text, const char *region, char e164[20],
                               const char **whyp)
{
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    PhoneNumber number;
    std::string out;

    if (strlen(text) > 60) {
        *whyp = "is too long for a phone number";
        return false;
    }
    switch (util.Parse(text, region ? region : "ZZ", &number)) {
    case PhoneNumberUtil::NO_PARSING_ERROR:
        break;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        *whyp = region ? "has a country code that does not exist"
                       : "has no country code: write it as +1..., or name a region";
        return false;
    default:
        *whyp = "is no phone number";
        return false;
    }
    if (number.has_extension()) {
        *whyp = "has an extension, which can't be dialed";
        return false;
    }
    util.Format(number, PhoneNumberUtil::E164, &out);
    snprintf(e164, 20, "%s", out.c_str());
    if (!possible(util, number, whyp))
        return false;
    if (out.size() < 9 || out.size() > 16) { // what can be dialed has 8 to 15 digits
        *whyp = "has not the length of a phone number";
        return false;
    }
    return true;
}
