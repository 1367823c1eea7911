//! What endpoints are registered with.

use actix_web::dev::HttpServiceFactory;
use utoipa_actix_web::OpenApiFactory;

/// Where a feature registers its endpoints: with a document that is being made, or to answer alone. Every worker registers
/// them, and the document of each would take 15 MB.
pub enum Services<'a, 'c> {
    /// The document is told of them.
    Documented(&'a mut utoipa_actix_web::service_config::ServiceConfig<'c>),
    /// They answer.
    Served(&'a mut actix_web::web::ServiceConfig),
}

impl Services<'_, '_> {
    /// Registers an endpoint.
    pub fn service(&mut self, factory: impl HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        match self {
            Self::Documented(config) => {
                config.service(factory);
            }
            Self::Served(config) => {
                config.service(factory);
            }
        }
        self
    }

    /// Registers a feature.
    pub fn configure(&mut self, feature: fn(&mut Services<'_, '_>)) -> &mut Self {
        feature(self);
        self
    }
}
