//! The tree of categories, built from its rows: paths, ancestors, descendants.

use std::collections::HashMap;

use super::model::{Category, CategoryAncestor, CategoryRef, CategoryRow};

/// Most levels, the root's children being the first.
pub const MOST_LEVELS: usize = 10;

/// All categories in tree order: a category, then what stands below it, then its next sibling. Siblings stand by
/// position, then name, then id.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    by_id: HashMap<i64, usize>,
    by_slug: HashMap<String, usize>,
}

#[derive(Debug)]
struct Node {
    row: CategoryRow,
    path: String,
    /// 1 for the root's children.
    level: usize,
    /// Where the next category that is not below this one stands.
    end: usize,
}

impl Tree {
    /// Sorts rows into a tree.
    pub fn new(mut rows: Vec<CategoryRow>) -> Self {
        // Backwards, since what waits is taken from the end.
        rows.sort_unstable_by(|a, b| (b.position, &b.name, b.id).cmp(&(a.position, &a.name, a.id)));
        let mut tree = Self {
            nodes: Vec::with_capacity(rows.len()),
            ..Self::default()
        };
        let mut below: HashMap<Option<i64>, Vec<CategoryRow>> = HashMap::new();
        for row in rows {
            below.entry(row.parent_id).or_default().push(row);
        }
        let mut waiting = below.remove(&None).unwrap_or_default();
        while let Some(row) = waiting.pop() {
            let parent = row.parent_id.and_then(|id| tree.node(id));
            let (path, level) = match parent {
                Some(parent) => (format!("{}/{}", parent.path, row.slug), parent.level + 1),
                None => (row.slug.clone(), 1),
            };
            let at = tree.nodes.len();
            tree.by_id.insert(row.id, at);
            tree.by_slug.insert(row.slug.clone(), at);
            waiting.extend(below.remove(&Some(row.id)).unwrap_or_default());
            tree.nodes.push(Node {
                row,
                path,
                level,
                end: at + 1,
            });
        }
        // From the back, so that what stands below a category has its end before the category itself.
        for at in (0..tree.nodes.len()).rev() {
            let Some(node) = tree.nodes.get(at) else { continue };
            let (parent, end) = (node.row.parent_id, node.end);
            let parent = parent.and_then(|id| tree.by_id.get(&id).copied());
            if let Some(parent) = parent.and_then(|at| tree.nodes.get_mut(at)) {
                parent.end = parent.end.max(end);
            }
        }
        tree
    }

    fn node(&self, id: i64) -> Option<&Node> {
        self.by_id.get(&id).and_then(|at| self.nodes.get(*at))
    }

    /// A category and what stands below it, in tree order.
    fn branch(&self, at: usize) -> &[Node] {
        let end = self.nodes.get(at).map_or(at, |node| node.end);
        self.nodes.get(at..end).unwrap_or_default()
    }

    /// How many categories there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The id of a slug.
    pub fn id_of(&self, slug: &str) -> Option<i64> {
        let at = self.by_slug.get(slug)?;
        self.nodes.get(*at).map(|node| node.row.id)
    }

    /// The ids of the category of that slug and of all below it; none where there is no such category.
    pub fn with_descendants(&self, slug: &str) -> Vec<i64> {
        let branch = self.by_slug.get(slug).map(|at| self.branch(*at));
        branch.unwrap_or_default().iter().map(|node| node.row.id).collect()
    }

    /// The level of a category, 1 for the root's children; the root itself, which is no category, is 0.
    pub fn level(&self, id: Option<i64>) -> Option<usize> {
        id.map_or(Some(0), |id| self.node(id).map(|node| node.level))
    }

    /// The ids of a category and of all below it; none where there is no such category.
    pub fn branch_of(&self, id: i64) -> Vec<i64> {
        let branch = self.by_id.get(&id).map(|at| self.branch(*at));
        branch.unwrap_or_default().iter().map(|node| node.row.id).collect()
    }

    /// The ids of a category and of all above it; none where there is no such category.
    pub fn with_ancestors(&self, id: i64) -> Vec<i64> {
        std::iter::successors(self.node(id), |node| node.row.parent_id.and_then(|id| self.node(id)))
            .map(|node| node.row.id)
            .collect()
    }

    /// How many levels a category and what stands below it take.
    pub fn height(&self, id: i64) -> usize {
        let Some(at) = self.by_id.get(&id) else { return 0 };
        let levels = || self.branch(*at).iter().map(|node| node.level);
        match (levels().min(), levels().max()) {
            (Some(top), Some(bottom)) => bottom - top + 1,
            _ => 0,
        }
    }

    /// The position behind all categories below `parent`.
    pub fn next_position(&self, parent: Option<i64>) -> i32 {
        let siblings = self.nodes.iter().filter(|node| node.row.parent_id == parent);
        siblings
            .map(|node| node.row.position.saturating_add(1))
            .max()
            .unwrap_or(0)
    }

    fn ancestors(&self, node: &Node) -> Vec<CategoryAncestor> {
        let mut ancestors = Vec::with_capacity(node.level.saturating_sub(1));
        let mut above = node.row.parent_id;
        while let Some(node) = above.and_then(|id| self.node(id)) {
            ancestors.push(CategoryAncestor {
                id: node.row.id,
                slug: node.row.slug.clone(),
                name: node.row.name.clone(),
            });
            above = node.row.parent_id;
        }
        ancestors.reverse();
        ancestors
    }

    /// A category as articles show it.
    pub fn reference(&self, id: i64) -> Option<CategoryRef> {
        let node = self.node(id)?;
        Some(CategoryRef {
            id,
            slug: node.row.slug.clone(),
            name: node.row.name.clone(),
            path: node.path.clone(),
            ancestors: self.ancestors(node),
        })
    }

    /// A category as it is answered. `article_count` has what stands below it in it.
    pub fn category(&self, id: i64, article_count: i64) -> Option<Category> {
        self.node(id).map(|node| self.show(node, article_count))
    }

    /// All categories in tree order, given how many articles stand right in each.
    pub fn categories(&self, counts: &HashMap<i64, i64>) -> Vec<Category> {
        // Running totals: what a branch holds is the difference of two of them.
        let mut total = 0;
        let mut totals = vec![0];
        totals.extend(self.nodes.iter().map(|node| {
            total += counts.get(&node.row.id).copied().unwrap_or_default();
            total
        }));
        let total = |at: usize| totals.get(at).copied().unwrap_or_default();
        let nodes = self.nodes.iter().enumerate();
        nodes
            .map(|(at, node)| self.show(node, total(node.end) - total(at)))
            .collect()
    }

    fn show(&self, node: &Node, article_count: i64) -> Category {
        Category {
            id: node.row.id,
            slug: node.row.slug.clone(),
            name: node.row.name.clone(),
            description: node.row.description.clone(),
            parent_id: node.row.parent_id,
            position: node.row.position,
            path: node.path.clone(),
            ancestors: self.ancestors(node),
            article_count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, name: &str, parent_id: Option<i64>, position: i32) -> CategoryRow {
        CategoryRow {
            id,
            slug: format!("s{id}"),
            name: name.to_owned(),
            description: None,
            parent_id,
            position,
        }
    }

    /// news (1) > reviews (2) > phones (3), news > 观点 (4); about (5)
    fn sample() -> Tree {
        Tree::new(vec![
            row(5, "about", None, 1),
            row(4, "观点", Some(1), 7),
            row(3, "phones", Some(2), 0),
            row(2, "reviews", Some(1), 7),
            row(1, "news", None, 0),
        ])
    }

    #[test]
    fn what_stands_below_follows_at_once() {
        let order: Vec<_> = sample()
            .categories(&HashMap::new())
            .into_iter()
            .map(|category| (category.id, category.path))
            .collect();
        let expected = [(1, "s1"), (2, "s1/s2"), (3, "s1/s2/s3"), (4, "s1/s4"), (5, "s5")];
        assert_eq!(order, expected.map(|(id, path)| (id, path.to_owned())));
    }

    #[test]
    fn siblings_stand_by_position_then_name_then_id() {
        let tree = Tree::new(vec![
            row(1, "b", None, 1),
            row(2, "a", None, 1),
            row(4, "a", None, 1),
            row(3, "z", None, 0),
        ]);
        let ids: Vec<_> = tree.nodes.iter().map(|node| node.row.id).collect();
        assert_eq!(ids, [3, 2, 4, 1]);
    }

    #[test]
    fn articles_count_for_all_that_stand_above() {
        let counts = HashMap::from([(1, 1), (3, 10), (4, 100), (5, 1000)]);
        let counted: Vec<_> = sample()
            .categories(&counts)
            .into_iter()
            .map(|category| (category.id, category.article_count))
            .collect();
        assert_eq!(counted, [(1, 111), (2, 10), (3, 10), (4, 100), (5, 1000)]);
    }

    #[test]
    fn branches_and_levels_are_told() {
        let tree = sample();
        assert_eq!(tree.with_descendants("s1"), [1, 2, 3, 4]);
        assert_eq!(tree.with_descendants("s3"), [3]);
        assert!(tree.with_descendants("nothing").is_empty());
        assert_eq!(
            (tree.level(None), tree.level(Some(3)), tree.level(Some(9))),
            (Some(0), Some(3), None)
        );
        assert_eq!((tree.height(1), tree.height(5), tree.height(9)), (3, 1, 0));
        assert_eq!((tree.branch_of(2), tree.branch_of(9)), (vec![2, 3], vec![]));
        assert_eq!((tree.next_position(Some(1)), tree.next_position(Some(3))), (8, 0));
        let above: Vec<_> = tree.reference(3).unwrap().ancestors.into_iter().map(|a| a.id).collect();
        assert_eq!(above, [1, 2]);
    }

    #[test]
    fn a_chain_of_any_length_is_walked() {
        let rows = (1..=2_000).map(|id| row(id, "x", (id > 1).then_some(id - 1), 0));
        let tree = Tree::new(rows.collect());
        assert_eq!(tree.with_descendants("s2").len(), 1_999);
    }
}
