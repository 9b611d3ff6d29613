//! A user's address book.

use time::OffsetDateTime;
use uuid::Uuid;

/// The most addresses of a user.
pub const MOST_ADDRESSES: i64 = 50;

/// A postal address. How long its parts are, the contract says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostalAddress {
    pub recipient: String,
    pub street: String,
    pub city: String,
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
}

/// An address in a user's book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedAddress {
    /// UUIDv7, so that ids sort by time of creation.
    pub id: Uuid,
    pub label: String,
    pub postal: PostalAddress,
    /// Exactly one is, as long as there is any.
    pub is_default: bool,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// What is to be different about an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressChange {
    pub label: Option<String>,
    pub postal: Option<PostalAddress>,
    pub is_default: Option<bool>,
}

/// Whether ISO 3166-1 assigns a country code (alpha-2).
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && COUNTRIES.split_ascii_whitespace().any(|known| known == code)
}

/// ISO 3166-1, as of its newsletter of November 2020: the last code was added in 2011.
const COUNTRIES: &str = "
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS
    GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
    VN VU WF WS YE YT ZA ZM ZW";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_countries_are_those_of_the_standard() {
        // 249 are assigned, each once and in order.
        let codes: Vec<&str> = COUNTRIES.split_ascii_whitespace().collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted_by(|a, b| a < b));
        for code in ["DE", "GB", "US", "SS"] {
            assert!(is_country(code), "{code}");
        }
        // Never assigned, reserved, withdrawn, or no code at all.
        for code in ["ZZ", "UK", "EU", "AN", "de", "", " ", "DE AT", "D"] {
            assert!(!is_country(code), "{code}");
        }
    }
}
