// libphonenumber has no C interface.
#include "base/region.h"

#include <cstdio>
#include <phonenumbers/phonenumberutil.h>
#include <string>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

extern "C" void rlx_region_of(char region[RLX_REGION_TEXT], const char *e164, bool *premiump)
{
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    PhoneNumber number;
    std::string code;

    region[0] = '\0';
    if (premiump)
        *premiump = false;
    if (util.Parse(e164, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR)
        return;
    util.GetRegionCodeForNumber(number, &code);
    if (code == "ZZ" || code == "001") // in no assigned range: the main country of its code
        util.GetRegionCodeForCountryCode(number.country_code(), &code);
    if (code.size() == 2 && code != "ZZ")
        std::snprintf(region, RLX_REGION_TEXT, "%s", code.c_str());
    PhoneNumberUtil::PhoneNumberType type = util.GetNumberType(number);
    if (premiump)
        *premiump = type == PhoneNumberUtil::PREMIUM_RATE || type == PhoneNumberUtil::SHARED_COST;
}
