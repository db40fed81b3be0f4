use encoding_rs::GB18030;
use proptest::prelude::*;

use super::*;

fn read_all(bytes: &[u8]) -> Result<Bill, BillError> {
    read(bytes, None, |_| false)
}

fn numbers(bill: &Bill) -> Vec<(u64, &str)> {
    let lines = bill.lines.iter();
    lines.map(|line| (line.number, line.tran_id.as_str())).collect()
}

#[test]
fn the_column_is_found_by_its_name_in_any_language_encoding_and_separator() {
    let text = "产品名称,订单 ID,优惠后总价（元）\n云开发,20200603119423,1.50\n云开发,20200603119424,\n";
    let (gbk, _, _) = GB18030.encode(text);
    let utf16 = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes));
    for bytes in [
        text.as_bytes().to_vec(),
        format!("\u{feff}{text}").into_bytes(),
        gbk.into_owned(),
        utf16.collect(),
        text.replace(',', "\t").into_bytes(),
        text.replace(',', ";").into_bytes(),
        text.replace("2020", "\t2020").into_bytes(),
        text.replace('\n', "\r\n").into_bytes(),
        text.replace("订单 ID", "订单ID").into_bytes(),
        text.replace("订单 ID", "\"Order ID\"").into_bytes(),
        text.replace("订单 ID", "tran_id").into_bytes(),
        text.replace("订单 ID", "TransactionId").into_bytes(),
    ] {
        let bill = read_all(&bytes).unwrap();
        let found = numbers(&bill);
        assert_eq!(found, [(2, "20200603119423"), (3, "20200603119424")]);
        assert_eq!(bill.lines[0].amount.as_deref(), Some("1.50"));
        assert_eq!(bill.lines[1].amount, None);
    }
}

#[test]
fn titles_blank_lines_and_what_guards_a_number_are_looked_past() {
    let text =
        "账单明细\n\nOrder ID,Product\n\"=\"\"1\"\"\",a\n`2,b\n\t3\t,c\n'4,d\n,e\n--,f\n\"5\",\"g\nh\"\n6\n";
    let bill = read_all(text.as_bytes()).unwrap();
    assert_eq!(bill.column, "Order ID");
    assert_eq!(numbers(&bill), [(4, "1"), (5, "2"), (6, "3"), (7, "4"), (10, "5"), (12, "6")]);
    assert_eq!(bill.without_number, 2);
}

#[test]
fn a_number_that_is_shown_as_an_amount_is_the_number() {
    for (cell, number) in [
        ("20200603000001.0", "20200603000001"),
        ("20200603000001.00", "20200603000001"),
        ("\"20,200,603,000,001\"", "20200603000001"),
        ("\"20,200,603,000,001.00\"", "20200603000001"),
        ("20 200 603 000 001", "20200603000001"),
        ("20'200'603'000'001", "20200603000001"),
        ("\"=\"\"20200603000001.0\"\"\"", "20200603000001"),
        ("20200603000001.5", "20200603000001.5"),
        ("\"20,20\"", "20,20"),
        ("\"2020,200\"", "2020,200"),
        ("a.0", "a.0"),
        (".0", ".0"),
    ] {
        let bill = read(format!("Order ID,Amount\n{cell},1\n").as_bytes(), None, |_| false);
        assert_eq!(numbers(&bill.unwrap()), [(2, number)], "{cell}");
    }
}

#[test]
fn of_several_columns_the_one_with_known_numbers_is_taken_or_the_likeliest() {
    let text = "交易 ID,订单 ID\nT1,D1\nT2,D2\n";
    let of = |known: &[&str]| {
        let bill = read(text.as_bytes(), None, |number| known.contains(&number)).unwrap();
        bill.column
    };
    assert_eq!(of(&[]), "订单 ID");
    assert_eq!(of(&["D1"]), "订单 ID");
    assert_eq!(of(&["T1", "T2", "D1"]), "交易 ID");
    let bill = read(text.as_bytes(), Some("交易id"), |number| number == "D1").unwrap();
    assert_eq!(bill.column, "交易 ID");
}

#[test]
fn another_layout_is_told_from_an_empty_bill() {
    let table: [(&[u8], &str); 8] = [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", "it is no text"),
        (b"Order ID\0,a\n", "it is no text"),
        (b"\xff\xff\xff", "it is no text"),
        (b"Product,Cost\nCloudBase,1\n", "no column has the order numbers: it has `Product`, `Cost`"),
        (b"Order ID,a\n2.02006E+13,1\n", "line 2: 2.02006E+13 was an order number until"),
        (b"{\"a\": 1}\n", "no column has the order numbers"),
    ];
    for (bytes, says) in table {
        let error = read_all(bytes).unwrap_err().to_string();
        assert!(error.starts_with(says), "{error}");
    }
    let missing = read(b"Order ID\n1\n", Some("Deal"), |_| false).unwrap_err();
    assert!(matches!(missing, BillError::NoColumn { .. }), "{missing}");
    let twice = read(b"Deal,Deal\n1,2\n", Some("Deal"), |_| false).unwrap_err();
    assert!(matches!(twice, BillError::Ambiguous { count: 2, .. }), "{twice}");
    let nothing = read_all(b"Order ID,Cost\n").unwrap();
    assert_eq!(nothing.lines, []);
}

#[test]
fn both_sides_are_told_and_a_bill_is_of_some_time() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let address = |text: &str| Address::new(text).unwrap();
    let ours: BTreeMap<String, _> = [("1", 10, "a"), ("2", 20, "b"), ("3", 30, "c"), ("4", 5, "d")]
        .into_iter()
        .map(|(id, second, on)| (id.to_owned(), (at(second), address(on))))
        .collect();
    let text = "Order ID,Amount\n9,1\n1,2\n1,2\n8,3\n9,4\n4,5\n";
    let bill = read_all(text.as_bytes()).unwrap();
    let found = reconcile(&bill, &ours, |when| when < at(30) && when >= at(8));
    assert_eq!((found.lines, found.matched), (6, 2));
    let unknown: Vec<_> = found
        .unknown
        .iter()
        .map(|billed| {
            let lines = billed.lines.iter().map(|line| line.number);
            (billed.tran_id.as_str(), lines.collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(unknown, [("9", vec![2, 6]), ("8", vec![5])]);
    assert_eq!(found.unbilled, [Unbilled { tran_id: "2".to_owned(), at: at(20), address: address("b") }]);
    assert!(!found.agrees());
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_no_reason_to_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_all(&bytes);
        let _ = read_all(&[b"Order ID,x\n", &bytes[..]].concat());
    }

    /// Whatever the numbers, each is on exactly one of the three sides.
    #[test]
    fn every_number_is_told_once(
        billed in prop::collection::vec("[a-c][0-9]", 0..12),
        ours in prop::collection::btree_set("[a-c][0-9]", 0..12),
    ) {
        let text = format!("Order ID\n{}\n", billed.join("\n"));
        let bill = read_all(text.as_bytes()).unwrap();
        let known: BTreeMap<String, _> = ours
            .iter()
            .map(|id| (id.clone(), (Timestamp::UNIX_EPOCH, Address::new("a").unwrap())))
            .collect();
        let found = reconcile(&bill, &known, |_| true);
        let distinct: BTreeSet<&String> = billed.iter().collect();
        let both = distinct.iter().filter(|id| ours.contains(**id)).count();
        prop_assert_eq!(found.matched, both);
        prop_assert_eq!(found.unknown.len(), distinct.len() - both);
        prop_assert_eq!(found.unbilled.len(), ours.len() - both);
        prop_assert_eq!(found.agrees(), found.unknown.is_empty() && found.unbilled.is_empty());
    }
}
