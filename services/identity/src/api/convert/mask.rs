//! Masks of updates (AIP-134).

use grpc::Problem;

/// The fields that an update asks for.
pub(super) struct Mask(Vec<String>);

impl Mask {
    /// Fails where one cannot be changed.
    pub(super) fn of(
        mask: Option<prost_types::FieldMask>,
        known: &[&str],
    ) -> Result<Self, Problem> {
        let paths = mask.map(|mask| mask.paths).unwrap_or_default();
        match paths.iter().find(|path| *path != "*" && !known.contains(&path.as_str())) {
            None => Ok(Self(paths)),
            Some(unknown) => {
                let text = format!("only {} can be changed", known.join(", "));
                let what = format!("`{unknown}` cannot be changed");
                Err(Problem::invalid("FIELD_MASK_INVALID", text).with_field("update_mask", what))
            }
        }
    }

    /// Whether a field is asked for; without a mask, whether it is set.
    pub(super) fn takes(&self, field: &str, is_set: bool) -> bool {
        match self.0.is_empty() {
            true => is_set,
            false => self.0.iter().any(|path| path == field || path == "*"),
        }
    }
}
