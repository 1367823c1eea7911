//! The one error type, and how it is answered: RFC 9457 problem documents.
//!
//! Everything that can go wrong in a request is an [`Error`]. Its [`Code`] fixes status, title and detail in both
//! languages; field errors name what was wrong where. `web::envelope` writes the document, since only a request
//! knows its language and its id.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use serde::Serialize;
use utoipa::ToSchema;

/// Shorthand for what nearly every function of the project returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident, $code:literal, $status:literal, $zh:literal, $en:literal, $zh_detail:literal, $en_detail:literal;)*) => {
        /// What went wrong, as clients compare it. The list may grow; a code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),* }

        impl Code {
            /// Every code, in the order of their statuses.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable name in `code`.
            pub const fn name(self) -> &'static str { match self { $(Code::$variant => $code),* } }

            /// The HTTP status that goes with it.
            pub fn status(self) -> StatusCode {
                let number: u16 = match self { $(Code::$variant => $status),* };
                StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// `title` in the given language.
            pub const fn title(self, language: Language) -> &'static str {
                match (self, language) { $((Code::$variant, Language::Chinese) => $zh, (Code::$variant, Language::English) => $en),* }
            }

            /// `detail` in the given language.
            pub const fn detail(self, language: Language) -> &'static str {
                match (self, language) { $((Code::$variant, Language::Chinese) => $zh_detail, (Code::$variant, Language::English) => $en_detail),* }
            }
        }
    };
}

codes! {
    /// The request is malformed in a way that has no name of its own.
    BadRequest, "bad_request", 400, "请求格式错误", "Malformed request", "请求无法解析。", "The request could not be understood.";
    /// The body is not JSON.
    MalformedJson, "malformed_json", 400, "JSON 格式错误", "Malformed JSON", "请求体不是合法的 JSON。", "The body is not valid JSON.";
    /// A query parameter that the endpoint does not know.
    UnknownParameter, "unknown_parameter", 400, "未知参数", "Unknown parameter", "查询中有此接口不认识的参数。", "The query has parameters that this endpoint does not know.";
    /// A query parameter with a wrong value.
    InvalidParameter, "invalid_parameter", 400, "参数错误", "Invalid parameter", "有查询参数的值不符合要求。", "A query parameter has a value that is not allowed.";
    /// A cursor that was not made by this endpoint for this query.
    InvalidCursor, "invalid_cursor", 400, "游标无效", "Invalid cursor", "游标已损坏，或属于另一个查询。", "The cursor is damaged or belongs to another query.";
    /// `If-Match` that is no entity tag.
    InvalidIfMatch, "invalid_if_match", 400, "If-Match 格式错误", "Malformed If-Match", "If-Match 必须是实体标签或 *。", "If-Match must be entity tags or *.";
    /// No credentials where some are needed.
    Unauthenticated, "unauthenticated", 401, "需要登录", "Sign-in required", "此操作需要有效的访问令牌或 API 密钥。", "This needs a valid access token or API key.";
    /// Credentials that are not valid, or no longer.
    InvalidToken, "invalid_token", 401, "令牌无效", "Invalid token", "令牌或密钥无效、已过期或已被撤销。", "The token or key is invalid, expired or revoked.";
    /// A wrong e-mail or password at sign-in.
    InvalidCredentials, "invalid_credentials", 401, "邮箱或密码错误", "Wrong e-mail or password", "邮箱或密码不正确。", "The e-mail or the password is wrong.";
    /// Signed in, but without the right.
    Forbidden, "forbidden", 403, "没有权限", "Not allowed", "当前身份无权执行此操作。", "You may not do this.";
    /// Not there, or not visible to the caller.
    NotFound, "not_found", 404, "未找到", "Not found", "资源不存在，或对当前身份不可见。", "There is nothing here that you can see.";
    /// The path exists, the method does not.
    MethodNotAllowed, "method_not_allowed", 405, "方法不允许", "Method not allowed", "此地址不支持该方法，参见 Allow。", "This address does not take that method; see Allow.";
    /// The client took too long to send its request.
    RequestTimeout, "request_timeout", 408, "请求超时", "Request timed out", "请求未在时限内发送完毕。", "The request did not arrive in time.";
    /// A slug that another one has, or once had.
    SlugTaken, "slug_taken", 409, "slug 已被占用", "Slug taken", "该 slug 已被占用，或曾属于另一篇文章。", "The slug belongs, or once belonged, to another.";
    /// A name that must be unique and is not.
    NameTaken, "name_taken", 409, "名称已存在", "Name taken", "同名条目已存在。", "There is one of that name already.";
    /// An e-mail that another account has.
    EmailTaken, "email_taken", 409, "邮箱已存在", "E-mail taken", "该邮箱已属于另一个账号。", "The e-mail belongs to another account.";
    /// An external id that another article has.
    ExternalIdTaken, "external_id_taken", 409, "external_id 已被占用", "External id taken", "该 external_id 属于另一篇文章。", "The external id belongs to another article.";
    /// Something else still uses what is to be deleted.
    InUse, "in_use", 409, "仍被使用", "In use", "仍有其他内容在使用它，不能删除。", "Something still uses it, so it cannot be deleted.";
    /// The last active admin cannot be taken away.
    LastAdmin, "last_admin", 409, "最后一个管理员", "Last admin", "至少要保留一个可用的管理员。", "At least one active admin must remain.";
    /// The resource has changed since the version that `If-Match` names.
    VersionMismatch, "version_mismatch", 412, "版本已变化", "Version changed", "内容已被修改，If-Match 与当前版本不符。", "It has changed: If-Match does not name the current version.";
    /// The body or the file is larger than is taken.
    TooLarge, "too_large", 413, "内容过大", "Too large", "请求体或文件超过上限。", "The body or the file is larger than the limit.";
    /// A content type, or a kind of file, that is not taken.
    UnsupportedMediaType, "unsupported_media_type", 415, "不支持的媒体类型", "Unsupported media type", "不支持该内容类型或文件类型。", "This content type or kind of file is not supported.";
    /// A `Range` beyond the end of a file.
    RangeNotSatisfiable, "range_not_satisfiable", 416, "范围无效", "Range not satisfiable", "Range 超出文件长度。", "The range lies beyond the end of the file.";
    /// A JSON field that the endpoint does not know.
    UnknownField, "unknown_field", 422, "字段不存在", "Unknown field", "请求体中有此接口不认识的字段。", "The body has fields that this endpoint does not know.";
    /// Fields with wrong values.
    InvalidField, "invalid_field", 422, "字段错误", "Invalid field", "有字段的值不符合要求。", "A field has a value that is not allowed.";
    /// `If-Match` is needed and missing.
    PreconditionRequired, "precondition_required", 428, "需要 If-Match", "If-Match required", "修改或删除文章必须带 If-Match。", "Changing or deleting an article needs If-Match.";
    /// Too many requests from one source.
    RateLimited, "rate_limited", 429, "请求过于频繁", "Too many requests", "请求过多，请按 Retry-After 稍后再试。", "Too many requests; try again after Retry-After.";
    /// A defect of the server.
    Internal, "internal", 500, "服务器内部错误", "Internal error", "服务器出错，已记录。", "The server failed; the failure was logged.";
    /// The server, or what it stands on, has no room now.
    Unavailable, "unavailable", 503, "服务暂不可用", "Unavailable", "服务暂时繁忙或不可用，请稍后再试。", "The service is busy or down for the moment; try again.";
}

/// The languages in which problems speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// zh-CN, the default.
    Chinese,
    /// en.
    English,
}

/// One thing that was wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901, as a URI fragment) to the field of the body, if it was in the body.
    #[schema(example = "#/slug", required, pattern = "^#")]
    pub pointer: Option<String>,
    /// Name of the query parameter or header, if it was there; null of a field.
    #[schema(example = "limit", required)]
    pub parameter: Option<String>,
    /// What was wrong; a stable name.
    #[schema(example = "unknown_field", pattern = "^[a-z_]+$", max_length = 50)]
    pub code: String,
    /// The same for people, in English.
    #[schema(example = "no such field")]
    pub message: String,
}

impl FieldError {
    /// An error at a place of the body, such as `/slug`.
    pub fn field(pointer: impl fmt::Display, code: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: Some(format!("#{pointer}")),
            parameter: None,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// An error in a query parameter or a header.
    pub fn parameter(name: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: None,
            parameter: Some(name.into()),
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// The body of every error answer (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(
        example = "https://broadsheet.dev/problems/unknown_field",
        pattern = "^https://broadsheet\\.dev/problems/[a-z_]+$"
    )]
    pub kind: String,
    /// What went wrong, in the language of `Accept-Language` (zh-CN or en).
    #[schema(example = "Unknown field", max_length = 100)]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    pub status: u16,
    /// A sentence more, in the same language.
    #[schema(example = "The body has fields that this endpoint does not know.", max_length = 300)]
    pub detail: String,
    /// The stable name of the problem. New ones may come.
    #[schema(example = "unknown_field", pattern = "^[a-z_]+$", max_length = 50)]
    pub code: String,
    /// The request's `X-Request-Id`, to find it in the logs.
    #[schema(
        example = "0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11",
        pattern = "^[A-Za-z0-9._-]{1,128}$"
    )]
    pub request_id: String,
    /// Every single error found, empty where there is nothing to point at.
    pub errors: Vec<FieldError>,
    /// The article's current version; only when `If-Match` named another (412).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 8, minimum = 1)]
    pub current_version: Option<i64>,
}

/// Everything that can go wrong in a request.
#[derive(Clone, Debug)]
pub struct Error {
    /// What it is.
    pub code: Code,
    /// Where it is, if it can be pointed at.
    pub errors: Vec<FieldError>,
    /// For [`Code::VersionMismatch`].
    pub current_version: Option<i64>,
    /// Seconds for `Retry-After` (429 and 503).
    pub retry_after: Option<u32>,
    /// What the log says of it; never sent to the client.
    pub cause: Option<String>,
}

impl Error {
    /// An error that its code describes fully.
    pub fn new(code: Code) -> Self {
        let retry_after = matches!(code, Code::RateLimited | Code::Unavailable).then_some(1);
        Self {
            code,
            errors: Vec::new(),
            current_version: None,
            retry_after,
            cause: None,
        }
    }

    /// 404: not there, or not visible.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// A failure that is nobody's input; the text goes to the log alone.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Code::Internal)
        }
    }

    /// 503 with `Retry-After`; the text goes to the log alone.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Code::Unavailable)
        }
    }

    /// Whether PostgreSQL gave up a transaction in favour of another (`40001`, `40P01`): tried again, it may do.
    pub fn is_conflict(&self) -> bool {
        let cause = self.cause.as_deref().unwrap_or_default();
        cause.contains(DEADLOCK) || cause.contains("could not serialize access")
    }

    /// One error at a field of the body, with the code of the whole.
    pub fn at_field(code: Code, pointer: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            errors: vec![FieldError::field(pointer, code.name(), message)],
            ..Self::new(code)
        }
    }

    /// One error at a query parameter, with the code of the whole.
    pub fn at_parameter(code: Code, name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            errors: vec![FieldError::parameter(name, code.name(), message)],
            ..Self::new(code)
        }
    }

    /// 422 from the errors found in a body, or nothing if there were none.
    pub fn check_fields(errors: Vec<FieldError>) -> Result<()> {
        Self::check(errors, Code::UnknownField, Code::InvalidField)
    }

    /// 400 from the errors found in a query string, or nothing if there were none.
    pub fn check_parameters(errors: Vec<FieldError>) -> Result<()> {
        Self::check(errors, Code::UnknownParameter, Code::InvalidParameter)
    }

    fn check(errors: Vec<FieldError>, unknown: Code, invalid: Code) -> Result<()> {
        if errors.is_empty() {
            return Ok(());
        }
        let code = if errors.iter().any(|error| error.code == unknown.name()) {
            unknown
        } else {
            invalid
        };
        Err(Self {
            errors,
            ..Self::new(code)
        })
    }

    /// The document, in one language.
    pub fn problem(&self, language: Language, request_id: &str) -> Problem {
        Problem {
            kind: format!("https://broadsheet.dev/problems/{}", self.code.name()),
            title: self.code.title(language).to_owned(),
            status: self.code.status().as_u16(),
            detail: self.code.detail(language).to_owned(),
            code: self.code.name().to_owned(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
            current_version: self.current_version,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.name())?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        for error in &self.errors {
            let place = error
                .pointer
                .as_deref()
                .or(error.parameter.as_deref())
                .unwrap_or_default();
            write!(f, "; {place}: {}", error.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// What PostgreSQL says to the one of two transactions that it ends.
const DEADLOCK: &str = "deadlock detected";

/// What the databases say of what may go well later; diesel has no kinds for it.
const PASSING: [&str; 9] = [
    "database is locked",
    DEADLOCK,
    "canceling statement",
    "disk is full",
    "terminating connection",
    "server closed the connection",
    "no connection to the server",
    "could not receive data from server",
    "could not send data to server",
];

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::NotFound => Self::not_found(),
            DieselError::DatabaseError(
                DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand,
                _,
            ) => Self::unavailable(&error),
            DieselError::DatabaseError(_, info) if PASSING.iter().any(|text| info.message().contains(text)) => {
                Self::unavailable(&error)
            }
            _ => Self::internal(&error),
        }
    }
}

/// Leaves an empty answer with the error in its extensions; `web::envelope` turns it into the document.
impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.code.status());
        response.extensions_mut().insert(self.clone());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_have_names_of_their_own_and_error_statuses() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(
            Code::ALL
                .iter()
                .all(|code| code.status().is_client_error() || code.status().is_server_error())
        );
    }

    #[test]
    fn an_unknown_field_names_the_whole_problem() {
        let errors = vec![
            FieldError::field("/title", "too_long", "too long"),
            FieldError::field("/bogus", "unknown_field", "no such field"),
        ];
        let error = Error::check_fields(errors).unwrap_err();
        assert_eq!(error.code, Code::UnknownField);
        assert_eq!(error.errors.len(), 2);
        let problem = error.problem(Language::Chinese, "r");
        assert_eq!((problem.status, problem.title.as_str()), (422, "字段不存在"));
    }

    #[test]
    fn causes_stay_in_the_log() {
        let problem = Error::internal("password=secret").problem(Language::English, "r");
        assert!(!serde_json::to_string(&problem).unwrap().contains("secret"));
    }
}
