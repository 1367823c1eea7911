//! Extractors in order.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::error::{Error, Result};

/// The first, and only if that is right the second: who may not do a thing is not told what is wrong with how they
/// tried. actix itself runs extractors side by side, and the fastest error wins.
pub struct Then<A, B>(pub A, pub B);

impl<A, B> FromRequest for Then<A, B>
where
    A: FromRequest<Error = Error> + 'static,
    B: FromRequest<Error = Error> + 'static,
{
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let first = A::from_request(&request, &mut payload).await?;
            let second = B::from_request(&request, &mut payload).await?;
            Ok(Self(first, second))
        })
    }
}
