//! Pages of a list (AIP-158): a bounded size and an opaque token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How many items a page holds: 1 to 100, 20 when nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u8);

impl PageSize {
    /// From a request's `page_size`; the contract has bounded it to 0..=100.
    pub fn from_request(size: i32) -> Self {
        match size {
            ..=0 => Self(20),
            n => Self(n.min(100) as u8),
        }
    }

    pub fn get(self) -> i64 {
        i64::from(self.0)
    }

    /// What to ask a store for: one more than the page holds tells whether
    /// another page follows.
    pub fn probe(self) -> i64 {
        self.get() + 1
    }

    /// Cuts what [`probe`](Self::probe) brought down to the page, and answers the
    /// token of the next page, made from the last item by `cursor`.
    pub fn cut<T, C: Serialize>(
        self,
        mut items: Vec<T>,
        cursor: impl FnOnce(&T) -> C,
    ) -> (Vec<T>, String) {
        let size = usize::from(self.0);
        if items.len() <= size {
            return (items, String::new());
        }
        items.truncate(size);
        let token = items.last().map(|last| PageToken::encode(&cursor(last)));
        (items, token.unwrap_or_default())
    }
}

/// Where a page begins; opaque to clients.
#[derive(Debug, Clone, Copy)]
pub struct PageToken;

/// The token is not one that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page token is not one that was given out")]
pub struct InvalidPageToken;

impl PageToken {
    /// A token that holds a cursor.
    pub fn encode(cursor: &impl Serialize) -> String {
        // Cursors are plain data; their serialisation cannot fail.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).unwrap_or_default())
    }

    /// The cursor in a token; nothing for the empty token of a first page.
    pub fn decode<C: DeserializeOwned>(token: &str) -> Result<Option<C>, InvalidPageToken> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidPageToken)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|_| InvalidPageToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_twenty_unless_said_and_never_more_than_a_hundred() {
        assert_eq!(PageSize::from_request(0).get(), 20);
        assert_eq!(PageSize::from_request(7).get(), 7);
        assert_eq!(PageSize::from_request(1_000).get(), 100);
    }

    #[test]
    fn the_last_page_has_no_token_and_others_carry_their_last_item() {
        let size = PageSize::from_request(2);
        assert_eq!(size.cut(vec![1, 2], |n| *n), (vec![1, 2], String::new()));
        let (page, token) = size.cut(vec![1, 2, 3], |n| *n);
        assert_eq!(page, vec![1, 2]);
        assert_eq!(PageToken::decode::<i32>(&token), Ok(Some(2)));
    }

    #[test]
    fn a_made_up_token_is_refused() {
        assert_eq!(PageToken::decode::<i32>("!!"), Err(InvalidPageToken));
        assert_eq!(PageToken::decode::<i32>("bm90anNvbg"), Err(InvalidPageToken));
        assert_eq!(PageToken::decode::<i32>(""), Ok(None));
    }
}
