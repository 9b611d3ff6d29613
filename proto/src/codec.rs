//! The codec of every generated client and server: protobuf, refused when it
//! breaks the contract's rules.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic_types::{ErrorDetails, StatusExt};

use crate::validate::{Validate, Violations};

/// Decodes `U` and answers INVALID_ARGUMENT with field violations when it breaks
/// a `buf.validate` rule, before a handler sees it.
#[derive(Debug, Clone)]
pub struct ValidatingCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for ValidatingCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for ValidatingCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Validate + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = ValidatingDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        ValidatingDecoder(PhantomData)
    }
}

/// Encodes a message.
#[derive(Debug)]
pub struct ProstEncoder<T>(PhantomData<T>);

impl<T: Message> Encoder for ProstEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer).map_err(|e| Status::internal(format!("message not encodable: {e}")))
    }
}

/// Decodes and validates a message.
#[derive(Debug)]
pub struct ValidatingDecoder<U>(PhantomData<U>);

impl<U: Message + Default + Validate> Decoder for ValidatingDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let message = U::decode(buffer).map_err(|_| malformed())?;
        let mut violations = Violations::default();
        message.validate(&mut violations);
        if violations.is_empty() { Ok(Some(message)) } else { Err(refused(violations)) }
    }
}

fn malformed() -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info("MESSAGE_MALFORMED", crate::ERROR_DOMAIN, []);
    let text = "the body is not the message that the method takes";
    Status::with_error_details(tonic::Code::InvalidArgument, text, details)
}

fn refused(violations: Violations) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info("VALIDATION_FAILED", crate::ERROR_DOMAIN, []);
    for (field, description) in violations.into_list() {
        details.add_bad_request_violation(field, description);
    }
    let text = "the request breaks the contract; see field_violations";
    Status::with_error_details(tonic::Code::InvalidArgument, text, details)
}
