//! What [`layout`] promises: only white space changes, equal content gives equal text, and it is idempotent.

use super::*;

pub(super) fn laid_out(text: &str) -> Result<String, Vec<Diagnostic>> {
    layout(&Arc::new(SourceFile::new("m.yaml", text)))
}

/// Lays out `old` and checks that a second pass changes nothing. `layout` itself checks that the content is
/// the same.
#[track_caller]
pub(super) fn canonical(old: &str) -> String {
    let new = laid_out(old).unwrap_or_else(|problems| panic!("{problems:#?}\n{old}"));
    assert_eq!(laid_out(&new).as_deref(), Ok(new.as_str()), "of {old:?}");
    new
}

#[test]
fn badly_formatted_manifest() {
    let text = "



# Ours.
version:   1   # the first
defaults: &d
    source:   qcloud
    # nothing more

environments:    # in this order


  # The shop.
  shop: {alias: shop,extra: {a: [1,2,  3]}}
  # Not for long.

  # About b.
  b:
      <<: *d
      alias: b   
      # the end of b
  c: {
    alias: c, # why
      # what
    flag: x
    }
  d:
     extra: |4
            x

          y


     env_alias: >-
       folded
        more

       end
     lifecycle:
         prevent_destroy:   true
         ignore_changes: [ flag,alias ]
  e:
    alias: \"multi
        line

      text \\
      cont\"
    import: { env_id: a-1 , tran_id: '7' }
  f:
    # alias: later
  g: { }
moved:
- from: a
  to:   b
# about the second
-   from: c
    to: d
removed:
  [ x,
      y
  ]
...
---
# the end
";
    insta::assert_snapshot!(canonical(text), @r#"
    # Ours.
    version: 1 # the first
    defaults: &d
      source: qcloud
      # nothing more

    environments: # in this order

      # The shop.
      shop: {alias: shop, extra: {a: [1, 2, 3]}}

      # Not for long.

      # About b.
      b:
        <<: *d
        alias: b
        # the end of b

      c: {
        alias: c, # why
        # what
        flag: x
      }

      d:
        extra: |2
             x

           y

        env_alias: >-
          folded
           more

          end
        lifecycle:
          prevent_destroy: true
          ignore_changes: [flag, alias]

      e:
        alias: "multi
          line

          text \
          cont"
        import: {env_id: a-1, tran_id: '7'}

      f:
        # alias: later

      g: {}
    moved:
      - from: a
        to: b
      # about the second
      - from: c
        to: d
    removed:
      [x,
        y
      ]
    ...
    ---
    # the end
    "#);
}

#[test]
fn comments_stay_with_their_entries() {
    insta::assert_snapshot!(canonical("
environments:
    a:
        alias: a
        # further in: the end of a
      # between: below the key, so with b's
    # with b
    b:
        extra:
        - x
        # with y
        - y
        # with alias
        alias: b
# at the edge, but b goes on
        flag: z
      # in nothing that is open
    c:
      # in c, which is empty
    d: # behind the colon
      # first
      # second

      # third
      alias: d
    # at the end, in environments
# at the end
"), @r"
    environments:
      a:
        alias: a
        # further in: the end of a

      # between: below the key, so with b's
      # with b
      b:
        extra:
          - x
          # with y
          - y
        # with alias
        alias: b
        # at the edge, but b goes on
        flag: z

      # in nothing that is open
      c:
        # in c, which is empty

      d: # behind the colon
        # first
        # second

        # third
        alias: d
      # at the end, in environments
    # at the end
    ");
}

#[test]
fn block_scalars_keep_their_lines() {
    insta::assert_snapshot!(canonical("
a: |
      x
        y

      z  \u{20}


b: |4
      x
c:
    - |1
       x
    - >2-
        x
d:
 e: |+ # kept
   x


 f: >

   x

   y
 g: |-
    环境
    # no comment
 # a comment
 h: |
 i: |

 j: |
   x
    \u{20}
   \ty
k: |2

    x
"), @r"
    a: |
      x
        y

      z   

    b: |2
        x
    c:
      - |2
          x
      - >2-
          x
    d:
      e: |+ # kept
        x


      f: >

        x

        y
      g: |-
        环境
        # no comment
      # a comment
      h: |
      i: |

      j: |
        x
          
        	y
    k: |2

        x
    ");
}

#[test]
fn trailing_empty_lines_of_a_scalar_are_kept_when_they_are_part_of_it() {
    for text in [
        "a: |+\n  x\n\n\n",
        "a: |+\n\n\n",
        "a: |+\n  x\n\n\nb: 1\n",
        "environments:\n  a: |+\n    x\n\n\n\n  b: 1\n",
    ] {
        assert_eq!(canonical(text).trim_end().len(), text.trim_end().len(), "{text:?}");
    }
    assert_eq!(canonical("a: |+\n  x\n\n\n"), "a: |+\n  x\n\n\n");
    assert_eq!(canonical("a: |\n  x\n\n\n"), "a: |\n  x\n");
    assert_eq!(canonical("a: |+\n  x\n\n "), "a: |+\n  x\n\n");
    assert_eq!(canonical("a: |+\n  x\n  "), "a: |+\n  x\n\n");
    // The parser adds a line that no layout could write.
    assert_eq!(laid_out("a: |\n  x\n  ").unwrap_err()[0].code, "fmt-unsafe");
    assert_eq!(canonical("a: |\n  x"), "a: |\n  x\n");
}

#[test]
fn brackets() {
    insta::assert_snapshot!(canonical("
a: {b: 1,c : [x ,y],  d: {}, 'e':f, g: }
h: [
 x, # why
        # what
  [
  y],


  z,
]
i:
  - {
    a: 1 }
  - [ [
      1
    ] ]
  - [{
      b: 2
      }, {
      c: 3
      }]
j: {
  }
k: [
  'quoted',
  \"alone\"
  ]
l: [   # why
  # nothing yet
  ]
m: [&x 1, *x , *x ]
n:
  {
  o: 1 }
p: [a
   b, 'c
 d']
q: {? r : s, ? t}
"), @r#"
    a: {b: 1, c: [x, y], d: {}, 'e': f, g:}
    h: [
      x, # why
      # what
      [
        y],

      z,
    ]
    i:
      - {
          a: 1}
      - [[
          1
        ]]
      - [{
          b: 2
        }, {
          c: 3
        }]
    j: {}
    k: [
      'quoted',
      "alone"
      ]
    l: [ # why
      # nothing yet
      ]
    m: [&x 1, *x, *x]
    n:
      {
        o: 1}
    p: [a
      b, 'c
      d']
    q: {? r: s, ? t}
    "#);
}

#[test]
fn lists_and_complex_keys() {
    insta::assert_snapshot!(canonical("
a:
- b
-   c
- d: e
  f:
  - g
-
  h: i
-   - j
    -   - k
        - l
-   # why
    m: n
- &x
  o: p
- !!map
  q: r
- 
- *x
? s
:   t
?   u # w
:   - w
    -   x
y: &z
- 1
"), @r"
    a:
      - b
      - c
      - d: e
        f:
          - g
      -
        h: i
      - - j
        - - k
          - l
      - # why
        m: n
      - &x
        o: p
      - !!map
        q: r
      -
      - *x
    ? s
    : t
    ? u # w
    : - w
      - x
    y: &z
      - 1
    ");
}

#[test]
fn unusual_texts() {
    for (old, new) in [
        ("", ""),
        ("\n\n  \n", ""),
        ("\t\n", ""),
        ("# only\n\n\n# comments", "# only\n\n# comments\n"),
        ("   # in\n a: 1\n", "# in\na: 1\n"),
        ("a: 1", "a: 1\n"),
        ("a: 1\n\n\n", "a: 1\n"),
        ("a: \t1\t# c\t\nb:  \tx\t\n", "a: 1 # c\nb: x\n"),
        ("a: 1\r\n\r\n\r\nb: |\r\n   x\r\n   y\r\n", "a: 1\n\nb: |\n  x\n  y\n"),
        ("a: 1\rb: 2\r", "a: 1\nb: 2\n"),
        ("a: 'x\r\n   y'\r\n", "a: 'x\n  y'\n"),
        ("环境 :  '商店'   # 注\n\"b\" :  x\n", "环境: '商店' # 注\n\"b\": x\n"),
        ("a: \u{3000}x\u{3000} # c\u{3000}\n", "a: \u{3000}x\u{3000} # c\u{3000}\n"),
        ("a: b#c\nd: 'e # f'\ng: \"h \\\" # i\"\n", "a: b#c\nd: 'e # f'\ng: \"h \\\" # i\"\n"),
        ("a: 'it''s'   # '\n", "a: 'it''s' # '\n"),
        ("a: x\n   y\n\n\n   z\nb: 1\n", "a: x\n  y\n\n\n  z\nb: 1\n"),
        ("a: \"x\\   \n   y\\ \n  z\"\n", "a: \"x\\   \n  y\\ \n  z\"\n"),
        ("a:\n    b\nc:\n    d\n    e\n", "a:\n  b\nc:\n  d\n  e\n"),
        ("---   \n\n\na: 1\n...\n\n\n---  # c\nb: 2\n---\n", "---\n\na: 1\n...\n\n--- # c\nb: 2\n---\n"),
        ("%YAML 1.2   \n---\na: 1\n", "%YAML 1.2\n---\na: 1\n"),
        ("--- |\n x\n", "--- |\n  x\n"),
        ("   x\n   y\n", "x\n  y\n"),
        ("  ---\n", "  ---\n"),
        ("- a\n", "- a\n"),
        ("   - a\n   - b\n", "- a\n- b\n"),
        (
            "{\"version\": 1,\n\"environments\":{\"a\":{\"alias\":\"a\"}}}",
            "{\"version\": 1,\n  \"environments\": {\"a\": {\"alias\": \"a\"}}}\n",
        ),
        (
            "a: !!str   1\nb: !!null\nc: &x   # c\n     {d: 1}\n",
            "a: !!str 1\nb: !!null\nc: &x # c\n  {d: 1}\n",
        ),
        ("a: &a k\n*a   : 2\n", "a: &a k\n*a : 2\n"),
        ("a: 1 # x\n     # y\n", "a: 1 # x\n# y\n"),
        ("a: http://x:1/?b=c&d\ne: a:b\n", "a: http://x:1/?b=c&d\ne: a:b\n"),
        (
            "a: -b
", "a: -b
",
        ),
    ] {
        assert_eq!(canonical(old), new, "{old:?}");
    }
}

#[test]
fn one_empty_line_between_environments_only() {
    insta::assert_snapshot!(canonical("
environments:
  a: {alias: a}
  b: {alias: b}



  # about c
  c:
    environments:
      x: 1
      y: 2

      z: 3
version: 1
defaults:
  a: 1
  b: 2
---
other:
  a: 1
  b: 2
'environments':
  a:
    alias: |
      x


  b: b
"), @r"
    environments:
      a: {alias: a}

      b: {alias: b}

      # about c
      c:
        environments:
          x: 1
          y: 2

          z: 3
    version: 1
    defaults:
      a: 1
      b: 2
    ---
    other:
      a: 1
      b: 2
    'environments':
      a:
        alias: |
          x

      b: b
    ");
}

#[test]
fn invalid_yaml_is_reported_with_its_place() {
    for (text, code, place) in [
        ("a: [1\n", "yaml-syntax", "m.yaml:2:1"),
        ("a: 1\na: 2\n", "duplicate-key", "m.yaml:2:1"),
        ("a: *b\n", "unknown-anchor", "m.yaml:1:4"),
        ("a: !secret x\n", "custom-tag", "m.yaml:1:4"),
    ] {
        let problems = laid_out(text).unwrap_err();
        assert_eq!(problems[0].code, code);
        assert_eq!(problems[0].labels[0].span.to_string(), place);
    }
}

#[test]
fn text_without_a_canonical_layout_is_left_alone() {
    let problems = laid_out("a: 1\n...\n\u{feff}b: 2\n").unwrap_err();
    assert_eq!(problems.len(), 1);
    crate::diagnostic::assert_chinese(&problems);
    insta::assert_snapshot!(crate::diagnostic::render::render(&problems, false, crate::i18n::Lang::En), @r"
    error[fmt-unsafe]: `m.yaml` cannot be formatted without changing its content; it was not changed
     |
     = help: it contains something that the formatter does not support
     = help: the file is still valid; exclude it from `postpay fmt`, or simplify that part
    ");
}

/// Deep texts, and texts with very many comments, are laid out in linear time.
#[test]
fn large_texts_are_fast() {
    let deep = format!("a: {}x{}\n", "[".repeat(60), "]".repeat(60));
    assert_eq!(canonical(&deep), deep);
    let comments = "#\n".repeat(100_000);
    assert_eq!(canonical(&comments), comments);
    let scalar = format!("a: '{}'\n", "x\n  ".repeat(30_000));
    assert_eq!(canonical(&scalar).len(), scalar.len());
}
