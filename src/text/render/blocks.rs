//! Blocks: the body for native apps, which draw it without a web view.

use super::place::Place;
use super::tree::{self, Cell, Image, Inline, Node, Source, Style};
use serde::Serialize;
use serde_json::value::RawValue;
use std::rc::Rc;
use utoipa::ToSchema;
use utoipa::openapi::schema::RefBuilder;
use utoipa::openapi::{RefOr, Schema};

/// The marks that a run can say.
const VISIBLE: Style = Style::BOLD.with(Style::ITALIC).with(Style::STRIKE).with(Style::CODE);

/// A block of an article's body. Which fields it has depends on its type; apps skip a type that they do not know.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Block {
    /// What the block is: `paragraph`, `heading`, `image`, `list`, `quote`, `code`, `table`, `divider` or `embed`; later versions
    /// may add types.
    #[serde(rename = "type")]
    #[schema(
        example = "paragraph",
        format = "word paragraph heading image list quote code table divider embed"
    )]
    pub kind: String,
    /// The text, of a paragraph or a heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = json!([{"text": "续航", "bold": true}]))]
    pub runs: Option<Vec<Run>>,
    /// Level of a heading, 1 to 6.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 2, minimum = 1, maximum = 6)]
    pub level: Option<u8>,
    /// Whether the items of a list are numbered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = false)]
    pub ordered: Option<bool>,
    /// Items of a list, each a sequence of blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, no_recursion, example = json!([[{"type": "paragraph", "runs": [{"text": "屏幕"}]}]]))]
    pub items: Option<Vec<Vec<Block>>>,
    /// The blocks of a quote.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, no_recursion, example = json!([{"type": "paragraph", "runs": [{"text": "很好。"}]}]))]
    pub blocks: Option<Vec<Block>>,
    /// The image, where it was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = image_schema, required = false)]
    pub image: Option<Box<RawValue>>,
    /// Address of a picture that is kept elsewhere, or of the page that shows what was embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "https://www.bilibili.com/video/BV1xx411c7mD/")]
    pub url: Option<String>,
    /// What the picture shows, for those who do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "手机正面")]
    pub alt: Option<String>,
    /// Caption of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "图一：正面")]
    pub caption: Option<String>,
    /// Language of code, as its author named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "rust")]
    pub language: Option<String>,
    /// Code, with its line ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "fn main() {}")]
    pub code: Option<String>,
    /// Header cells of a table, each a sequence of runs; absent where it has no header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = json!([[{"text": "型号"}], [{"text": "价格"}]]))]
    pub header: Option<Vec<Vec<Run>>>,
    /// Rows of a table: rows of cells, each a sequence of runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = json!([[[{"text": "小米14"}], [{"text": "3999"}]]]))]
    pub rows: Option<Vec<Vec<Vec<Run>>>>,
    /// Who shows what was embedded: `youtube`, `vimeo`, `bilibili`, `youku` or `tencent`; absent where it is none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        example = "bilibili",
        format = "word youtube vimeo bilibili youku tencent"
    )]
    pub provider: Option<String>,
}

/// A stretch of text with the same marks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Run {
    /// The text; `\n` in it is a line break.
    #[schema(example = "续航")]
    pub text: String,
    /// Whether it is bold; absent is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = true)]
    pub bold: Option<bool>,
    /// Whether it is italic; absent is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = true)]
    pub italic: Option<bool>,
    /// Whether it is struck through; absent is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = true)]
    pub strike: Option<bool>,
    /// Whether it is code; absent is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = true)]
    pub code: Option<bool>,
    /// Where it leads: an address of `http`, `https`, `mailto` or `tel`, or one that begins with `/`, `#` or `?`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "https://example.com/")]
    pub link: Option<String>,
}

/// The schema of an uploaded image is named `Image` and belongs to the room that keeps them.
fn image_schema() -> RefOr<Schema> {
    RefBuilder::new()
        .ref_location_from_schema_name("Image")
        .description(Some("The image, where it was uploaded."))
        .into()
}

/// Appends the block of an uploaded image, `image` being its JSON object. The words of the place speak first, else the image's own.
pub fn image_block(place: &Place, image: Box<RawValue>, alt: Option<&str>, caption: Option<&str>, out: &mut String) {
    let block = Block {
        image: Some(image),
        alt: place.alt.clone().or_else(|| alt.map(str::to_owned)),
        caption: place.caption.clone().or_else(|| caption.map(str::to_owned)),
        ..block("image")
    };
    write_block(&block, out);
}

/// The JSON array of a tree's blocks, each uploaded image a place.
pub(super) fn write(nodes: &[Node]) -> String {
    let mut out = String::new();
    write_nodes(nodes, &mut out);
    out
}

fn write_nodes(nodes: &[Node], out: &mut String) {
    write_array(nodes, out, |node, out| {
        write_node(node, out);
        // Runs hold no picture: those of a table's cells follow it.
        if let Node::Table { header, rows } = node {
            for inline in header.iter().chain(rows).flatten().flatten() {
                if let Inline::Image(image) = inline {
                    out.push(',');
                    write_image(image, out);
                }
            }
        }
    });
}

fn write_array<T>(all: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push('[');
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(one, out);
    }
    out.push(']');
}

fn write_node(node: &Node, out: &mut String) {
    let leaf = match node {
        Node::List { ordered, items, .. } => {
            out.push_str(&format!("{{\"type\":\"list\",\"ordered\":{ordered},\"items\":"));
            write_array(items, out, |item, out| write_nodes(item, out));
            return out.push('}');
        }
        Node::Quote(nodes) => {
            out.push_str("{\"type\":\"quote\",\"blocks\":");
            write_nodes(nodes, out);
            return out.push('}');
        }
        Node::Image(image) => return write_image(image, out),
        Node::Paragraph(runs) => Block {
            runs: Some(visible(runs)),
            ..block("paragraph")
        },
        Node::Heading { level, runs } => Block {
            level: Some(*level),
            runs: Some(visible(runs)),
            ..block("heading")
        },
        Node::Code { language, code } => Block {
            language: language.clone(),
            code: Some(code.clone()),
            ..block("code")
        },
        Node::Table { header, rows } => Block {
            header: header.as_ref().map(|cells| cells.iter().map(cell).collect()),
            rows: Some(rows.iter().map(|cells| cells.iter().map(cell).collect()).collect()),
            ..block("table")
        },
        Node::Divider => block("divider"),
        Node::Embed { url, provider } => Block {
            url: Some(url.clone()),
            provider: provider.map(str::to_owned),
            ..block("embed")
        },
    };
    write_block(&leaf, out);
}

fn write_image(image: &Image, out: &mut String) {
    let (alt, caption) = (image.alt.clone(), image.caption.clone());
    match &image.source {
        Source::Uploaded(id) => Place {
            id: *id,
            alt,
            caption,
            inline: false,
        }
        .write(out),
        Source::Elsewhere(address) => write_block(
            &Block {
                url: Some(address.clone()),
                alt,
                caption,
                ..block("image")
            },
            out,
        ),
    }
}

fn block(kind: &str) -> Block {
    Block {
        kind: kind.to_owned(),
        ..Block::default()
    }
}

fn write_block(block: &Block, out: &mut String) {
    // Strings, numbers and lists of them always have a JSON form.
    out.push_str(&serde_json::to_string(block).unwrap_or_default());
}

fn cell(cell: &Cell) -> Vec<Run> {
    visible(cell.iter().filter_map(|inline| match inline {
        Inline::Run(run) => Some(run),
        Inline::Image(_) => None,
    }))
}

/// Runs as apps see them; neighbours that differ in nothing that a run can say are one.
fn visible<'a>(runs: impl IntoIterator<Item = &'a tree::Run>) -> Vec<Run> {
    let mut all: Vec<Run> = Vec::new();
    let mut before: Option<(Style, &Option<Rc<str>>)> = None;
    for run in runs {
        let look = (run.style.common(VISIBLE), &run.link);
        match all.last_mut() {
            Some(last) if before == Some(look) => last.text.push_str(&run.text),
            _ => all.push(Run::from(run)),
        }
        before = Some(look);
    }
    all
}

impl From<&tree::Run> for Run {
    fn from(run: &tree::Run) -> Self {
        let mark = |mark| run.style.has(mark).then_some(true);
        Self {
            text: run.text.clone(),
            bold: mark(Style::BOLD),
            italic: mark(Style::ITALIC),
            strike: mark(Style::STRIKE),
            code: mark(Style::CODE),
            link: run.link.as_deref().map(str::to_owned),
        }
    }
}
