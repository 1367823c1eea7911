//! What is suggested.

use serde::Serialize;
use utoipa::ToSchema;

/// A suggestion for what is being typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    /// The tag's name or the article's title.
    #[schema(example = "小米", max_length = 300)]
    pub text: String,
    /// What it leads to: `tag` or `article`. New values may come.
    #[serde(rename = "type")]
    #[schema(example = "tag", format = "word tag article")]
    pub kind: &'static str,
    /// The id of the tag or article.
    #[schema(example = 3, minimum = 1)]
    pub id: i64,
    /// The slug of the tag or article.
    #[schema(example = "xiao-mi", max_length = 200)]
    pub slug: String,
}
