//! What the demo shows. Everything in it is invented.

/// An article of the demo.
pub struct Post {
    /// What it is known by.
    pub name: &'static str,
    /// Hours from now to its publication; what is behind is negative.
    pub hours: i64,
    /// Markdown with front matter.
    pub text: &'static str,
}

macro_rules! posts {
    ($($name:literal at $hours:literal),* $(,)?) => {
        &[$(Post { name: $name, hours: $hours, text: include_str!(concat!("posts/", $name, ".md")) }),*]
    };
}

/// The articles, the oldest first; one is scheduled, one is a draft.
pub const POSTS: &[Post] = posts![
    "guide-screen" at -1_104,
    "router-gufeng" at -820,
    "songguo-27" at -645,
    "yunque-air" at -500,
    "guide-backup" at -362,
    "watch-chenxi" at -266,
    "shiliu-pad" at -190,
    "haiyan-14" at -121,
    "ai-translate" at -74,
    "robot-lanhe" at -47,
    "chip-baiye" at -22,
    "qinghe-x5" at -3,
    "scheduled-foldable" at 72,
    "draft-keyboard" at 0,
];

/// Name of the site.
pub const SITE_NAME: &str = "数码晚报";

/// What the site is about.
pub const SITE_DESCRIPTION: &str = "手机、电脑与机器人的评测和新闻（示例站点）";

/// The entries of its navigation below the first: labels, which are names of categories as well.
pub const SECTIONS: &[&str] = &["评测资讯", "新品", "教程"];
