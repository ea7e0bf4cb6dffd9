//! What one output is for: a target, or all targets of a universal executable.

use std::slice;

use kiln_targets::{ObjectFormat, Target, universal};

use crate::error::Error;

/// What one output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    Single(&'static Target),
    /// One executable for both architectures of macOS.
    Universal,
}

impl Product {
    /// The product whose [`name`](Self::name) that is.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name == universal::NAME {
            return Some(Self::Universal);
        }
        name.parse().ok().map(Self::Single)
    }

    /// How names of files tell it from others.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Single(target) => target.name,
            Self::Universal => universal::NAME,
        }
    }

    /// The targets that it is compiled for.
    pub(crate) fn targets(&self) -> &[&'static Target] {
        match self {
            Self::Single(target) => slice::from_ref(target),
            Self::Universal => &universal::TARGETS,
        }
    }

    /// What the names of its executables end in.
    pub(crate) fn executable_suffix(&self) -> &'static str {
        self.targets()[0].executable_suffix
    }

    /// Whether its executables hold what the system shows of them.
    pub(crate) fn has_resources(&self) -> bool {
        self.targets()[0].format == ObjectFormat::Coff
    }

    /// What stands before and behind the name of its libraries.
    pub(crate) fn library(&self, shared: bool) -> (&'static str, &'static str) {
        let target = self.targets()[0];
        if shared { target.shared_library } else { target.static_library }
    }

    /// What the names of its objects end in.
    pub(crate) fn object_suffix(&self) -> &'static str {
        self.targets()[0].object_suffix
    }
}

/// The products for `targets`. With `universal`, those of a universal executable become one.
///
/// # Errors
/// `universal` without all of its targets.
pub(crate) fn products(
    targets: &[&'static Target],
    universal: bool,
) -> Result<Vec<Product>, Error> {
    let mut products: Vec<Product> = targets.iter().copied().map(Product::Single).collect();
    if !universal {
        return Ok(products);
    }
    let is_part = |product: &Product| {
        universal::TARGETS.iter().any(|&target| *product == Product::Single(target))
    };
    if products.iter().filter(|product| is_part(product)).count() < universal::TARGETS.len() {
        return Err(Error::HalfUniversal);
    }
    let first = products.iter().position(is_part).unwrap_or_default();
    products.retain(|product| !is_part(product));
    products.insert(first, Product::Universal);
    Ok(products)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_targets::target::{self, LINUX_AMD64};

    #[test]
    fn universal_takes_the_place_of_its_targets() {
        let names = |targets: &[&'static Target], universal| -> Option<Vec<&str>> {
            let products = products(targets, universal).ok()?;
            Some(products.iter().map(Product::name).collect())
        };
        assert_eq!(
            names(&target::ALL, true).unwrap(),
            ["linux-amd64", "linux-arm64", "darwin-universal", "windows-amd64", "windows-arm64"]
        );
        assert_eq!(names(&universal::TARGETS, true).unwrap(), ["darwin-universal"]);
        assert_eq!(names(&target::ALL, false).unwrap().len(), 6);
        assert_eq!(names(&[&LINUX_AMD64, universal::TARGETS[0]], true), None);
        for product in products(&target::ALL, true).unwrap() {
            assert_eq!(Product::named(product.name()), Some(product));
        }
    }
}
