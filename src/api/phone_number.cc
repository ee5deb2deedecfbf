// The one file that speaks C++: libphonenumber has no C interface.
#include "api/phone_number.h"

#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

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
    switch (util.IsPossibleNumberWithReason(number)) {
    case PhoneNumberUtil::IS_POSSIBLE:
        break;
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
    if (validp)
        *validp = util.IsValidNumber(number);
    return true;
}
