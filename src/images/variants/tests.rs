use super::*;

#[test]
fn every_name_reads_back() {
    for size in Size::ALL {
        for format in Format::ALL {
            let variant = Variant {
                size,
                format,
                focus: None,
            };
            assert_eq!(Variant::parse(&variant.name()), Some(variant));
        }
    }
    assert_eq!(
        Variant::parse("w1280.jpg"),
        Some(Variant {
            size: Size::W1280,
            format: Format::Jpeg,
            focus: None
        })
    );
    assert_eq!(Size::parse("w640"), Some(Size::W640));
}

#[test]
fn other_names_are_unknown() {
    let names = [
        "",
        ".",
        "w320",
        "w320.",
        ".webp",
        "w321.webp",
        "W320.webp",
        "w320.WEBP",
        "w0320.webp",
        "w320.webp.jpg",
        "w320.jpeg",
        "w320.svg",
        "w99999999.webp",
        "w-1.webp",
        " w320.webp",
        "w320.webp\0",
        "../w320.webp",
        "original",
    ];
    for name in names {
        assert_eq!(Variant::parse(name), None, "{name:?}");
    }
    assert_eq!(Size::parse("w320.webp"), None);
}

#[test]
fn a_size_keeps_proportions_and_never_enlarges() {
    assert_eq!(Size::W960.dimensions(4000, 3000), (960, 720));
    assert_eq!(Size::W960.dimensions(960, 5), (960, 5));
    assert_eq!(Size::W1920.dimensions(200, 100), (200, 100));
    assert_eq!(Size::W640.dimensions(1000, 333), (640, 213));
    assert_eq!(Size::W320.dimensions(12_000, 1), (320, 1));
    assert_eq!(Size::W320.dimensions(1, 12_000), (1, 12_000));
    assert_eq!(Size::W320.dimensions(u32::MAX, u32::MAX), (320, 320));
}

#[test]
fn srcset_has_every_width_up_to_the_originals() {
    assert_eq!(
        srcset("https://example.org/", "ab", 1000),
        "https://example.org/media/ab/w320.webp 320w, https://example.org/media/ab/w640.webp 640w, \
         https://example.org/media/ab/w960.webp 960w"
    );
    assert_eq!(srcset("http://h", "ab", 200), "http://h/media/ab/w320.webp 200w");
    assert_eq!(srcset("http://h", "ab", 4000).matches("w,").count(), 4);
    assert!(srcset("http://h", "ab", 1920).ends_with("/w1920.webp 1920w"));
}

#[test]
fn png_is_offered_for_transparent_pictures_alone() {
    let names = |transparent| {
        Variant::offered((700, 500), transparent, None)
            .map(Variant::name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(false).len(), 15);
    assert_eq!(names(false)[..4], ["w320.webp", "w320.avif", "w320.jpg", "w640.webp"]);
    assert_eq!(names(true).len(), 20);
    assert_eq!(
        names(true)[16..],
        ["share.webp", "share.avif", "share.jpg", "share.png"]
    );
}

#[test]
fn avif_of_many_pixels_is_not_offered() {
    let names: Vec<String> = Variant::offered((1920, 12_000), false, None)
        .map(Variant::name)
        .collect();
    assert!(!names.contains(&"w1920.avif".to_owned()) && names.contains(&"w320.avif".to_owned()));
    assert!(names.contains(&"w1920.webp".to_owned()) && names.contains(&"share.avif".to_owned()));
}

#[test]
fn only_crops_name_a_focal_point() {
    let focus = Focus::at(0.9, 0.1);
    let urls: Vec<String> = Variant::offered((100, 100), false, Some(focus))
        .map(|variant| variant.url("http://h", "ab"))
        .collect();
    assert_eq!(urls[0], "http://h/media/ab/w320.webp");
    assert!(urls.contains(&"http://h/media/ab/card.webp?focal=900-100".to_owned()));
    for text in ["", "-", "5", "1001-0", "0900-100", "+1-2", "1-2-3", " 1-2", "1-2.webp"] {
        assert_eq!(Focus::parse(text), None, "{text:?}");
    }
    assert_eq!(Focus::parse("900-100"), Some(focus));
    assert_eq!(Focus::at(f64::NAN, 7.0), Focus { x: 0, y: 1000 });
    assert_eq!((focus.named(), Focus::at(0.5, 0.5).named()), (Some(focus), None));
}

#[test]
fn files_have_names_of_their_own() {
    for variant in Variant::offered((4000, 3000), true, Some(Focus::MIDDLE)) {
        for name in [variant.file_name(), variant.still_file_name()] {
            assert!(Variant::is_file_name(&name), "{name}");
        }
    }
    for name in [
        "original",
        "w320",
        "card.1001-0.webp",
        "w320.webp.tmp",
        "card.900-100.moved.webp",
        "a.b.c.d.e",
    ] {
        assert!(!Variant::is_file_name(name), "{name}");
    }
}

#[test]
fn a_crop_keeps_its_proportions_and_never_enlarges() {
    assert_eq!(Size::Thumb.dimensions(4000, 3000), (320, 320));
    assert_eq!(Size::Card.dimensions(4000, 3000), (640, 360));
    assert_eq!(Size::Share.dimensions(1200, 630), (1200, 630));
    assert_eq!(Size::Thumb.dimensions(200, 100), (100, 100));
    assert_eq!(Size::Card.dimensions(320, 4000), (320, 180));
    assert_eq!(Size::Share.dimensions(4000, 63), (120, 63));
    assert_eq!(Size::Share.dimensions(1, 1), (1, 1));
}

#[test]
fn a_crop_keeps_what_is_at_its_focal_point() {
    for (width, height) in [(4000, 3000), (3000, 4000), (300, 5000), (5000, 300), (1, 1), (7, 9)] {
        for size in Size::ALL {
            for (x, y) in [(0.9, 0.1), (0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.25, 0.75)] {
                let window = size.window(width, height, Focus::at(x, y));
                let (width, height) = (f64::from(width), f64::from(height));
                assert!(window.left >= 0.0 && window.left + window.width <= width + 1e-6);
                assert!(window.top >= 0.0 && window.top + window.height <= height + 1e-6);
                let (at_x, at_y) = (x * width - window.left, y * height - window.top);
                let inside = |at: f64, length: f64| (-1e-6..=length + 1e-6).contains(&at);
                assert!(inside(at_x, window.width) && inside(at_y, window.height), "{size:?}");
            }
        }
    }
    let window = Size::Thumb.window(4000, 3000, Focus::at(0.9, 0.1));
    assert_eq!(
        (window.left, window.top, window.width, window.height),
        (1000.0, 0.0, 3000.0, 3000.0)
    );
}
