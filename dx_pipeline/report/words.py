"""The words of the report in Vietnamese and English, and how numbers are written in each."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from dx_pipeline.report.period import Period

LANGUAGES = ("vi", "en")
_WORDS = {
    "committee": ("Ban Chỉ đạo chuyển đổi số", "Digital Transformation Steering Committee"),
    "people_committee": ("Ủy ban nhân dân", "People's Committee"),
    "nation": ("Cộng hòa xã hội chủ nghĩa Việt Nam", "Socialist Republic of Viet Nam"),
    "motto": ("Độc lập - Tự do - Hạnh phúc", "Independence - Freedom - Happiness"),
    "title": ("Báo cáo chuyển đổi số", "Report on digital transformation"),
    "draft": ("Bản nháp, chưa công bố", "Draft, not published"),
    "published": ("Đã công bố, phiên bản", "Published, version"),
    "by": ("bởi", "by"),
    "known": ("Số liệu kho biết đến", "Numbers as known at"),
    "key_figures": ("Số liệu chính", "Key figures"),
    "score": ("Điểm chất lượng phục vụ", "Score of service quality"),
    "of": ("trên", "of"),
    "measured_points": ("điểm kho đo được", "points the warehouse measures"),
    "before": ("kỳ trước", "period before"),
    "late_now": ("Hồ sơ đang quá hạn", "Dossiers overdue now"),
    "s1": ("Số liệu của tỉnh so với số đã công bố", "The province's figures against those published"),
    "no_figures": ("Tỉnh chưa công bố số liệu nào của kỳ này.", "The province has published no figure of this period."),
    "all_match": ("Tất cả số liệu đã công bố đều khớp với kho.", "All published figures match the warehouse."),
    "some_differ": ("số liệu khác với kho, in đậm.", "figures differ from the warehouse, in bold."),
    "figure": ("Số liệu", "Figure"),
    "unit": ("Đơn vị tính", "Unit"),
    "published_value": ("Đã công bố", "Published"),
    "warehouse_value": ("Kho dữ liệu", "Warehouse"),
    "difference": ("Chênh lệch", "Difference"),
    "s2": ("Chất lượng phục vụ của tỉnh theo Quyết định 766", "The province's service quality under Decision 766"),
    "component": ("Thành phần", "Component"),
    "numerator": ("Tử số", "Numerator"),
    "denominator": ("Mẫu số", "Denominator"),
    "share": ("Tỷ lệ", "Share"),
    "target": ("Mục tiêu", "Target"),
    "maximum": ("Tối đa", "Maximum"),
    "points": ("Điểm", "Points"),
    "lost": ("Điểm mất", "Points lost"),
    "no_source": ("chưa đo được", "not measured"),
    "not_measured": (
        "Chưa đo được {n} trên {of} điểm, lý do ghi ở từng dòng: không được cộng, cũng không bị trừ.",
        "{n} of {of} points are not measured, each line says why: they are neither given nor lost.",
    ),
    "by_indicator": ("theo dõi, không tính điểm", "followed, without points"),
    "not_applicable": ("không áp dụng", "not applicable"),
    "followed": ("theo dõi", "followed"),
    "total": ("Tổng", "Total"),
    "gap_title": ("Vì sao số trên Cổng quốc gia khác", "Why the national portal shows other numbers"),
    "national": ("Cổng quốc gia", "National portal"),
    "gap_done": ("Đã xong theo tỉnh", "Done in the province's records"),
    "gap_not_sent": ("đã xong, chưa gửi", "done, not sent"),
    "gap_otherwise": ("đã xong, gửi trạng thái khác", "done, sent with another status"),
    "gap_5": ("chờ bổ sung (5) gửi là đã xong (9)", "waiting for a supplement (5), sent as done (9)"),
    "gap_6": ("chờ nghĩa vụ tài chính (6) gửi là đã xong (9)", "waiting for payment (6), sent as done (9)"),
    "gap_8": ("dừng xử lý (8) gửi là đã xong (9)", "stopped (8), sent as done (9)"),
    "gap_other": ("trạng thái khác gửi là đã xong", "another status, sent as done"),
    "gap_sent_done": ("Đã xong theo bản gửi lên Cổng", "Done in the copy sent to the portal"),
    "pay_paid": ("Thanh toán trực tuyến theo chứng từ", "Paid online by the payment itself"),
    "pay_cash": ("tiền mặt, ghi là trực tuyến", "cash, flagged as online"),
    "pay_other": ("chuyển khoản hoặc chưa trả, ghi là trực tuyến", "transfer or unpaid, flagged as online"),
    "pay_not": ("trực tuyến, không ghi cờ", "online, not flagged"),
    "pay_flagged": ("Thanh toán trực tuyến theo cờ gửi đi", "Paid online by the flag that is sent"),
    "rules_title": ("Đúng hạn theo hai cách tính", "On time under two rules"),
    "rule_766": ("Quyết định 766", "Decision 766"),
    "rule_local": ("Cách tính của địa phương", "Local rule"),
    "rules_note": (
        "Cộng các tháng của kỳ: hồ sơ chuyển tiếp được đếm ở mỗi tháng. Hai cách tính khác nhau ở",
        "Months of the period added up: a dossier carried over counts in each. The rules differ on",
    ),
    "dossiers": ("hồ sơ", "dossiers"),
    "second_supplement": ("yêu cầu bổ sung hơn một lần", "more than one supplement"),
    "missing_due": ("không có ngày hẹn trả", "no due date"),
    "withdrawn": ("công dân rút hồ sơ", "withdrawn"),
    "supplement_pause": ("trừ thời gian bổ sung", "time of the supplement taken off"),
    "open_at_period_end": ("chưa xong cuối kỳ", "open at the end of the period"),
    "clock_time": ("so theo giờ hay theo ngày", "compared by time or by day"),
    "s3": ("Xu hướng", "Trends"),
    "t_total": ("Điểm chất lượng phục vụ, % điểm áp dụng", "Score of service quality, % of what applies"),
    "t_time": ("Giải quyết đúng hạn (2.1)", "Handled on time (2.1)"),
    "t_online": ("Nộp trực tuyến (3.3)", "Filed online (3.3)"),
    "t_paid": ("Thanh toán trực tuyến (3.6)", "Paid online (3.6)"),
    "t_result": ("Kết quả điện tử (4.1)", "Electronic result (4.1)"),
    "t_eid": ("Kích hoạt định danh điện tử", "Electronic identities activated"),
    "s4": ("Các địa bàn cấp huyện", "Districts"),
    "s4_note": (
        "12 tháng, cùng một thang cho mọi địa bàn; nét nhạt là các địa bàn khác. Gồm UBND huyện và UBND các xã.",
        "12 months, one scale for all; the faint lines are the other districts. District and commune agencies together.",
    ),
    "m_score": ("Điểm, % điểm áp dụng", "Score, % of what applies"),
    "m_time": ("Đúng hạn (2.1)", "On time (2.1)"),
    "m_online": ("Nộp trực tuyến (3.3)", "Filed online (3.3)"),
    "s5": ("Xếp hạng", "Ranking"),
    "s5_note": (
        "Trong nhóm cùng loại và cấp. Bằng điểm thì cùng hạng (1, 1, 3). Điểm tối đa là của những thành phần kho đo được"
        " và áp dụng cho đơn vị; không áp dụng không phải là 0 điểm. Đơn vị mà chưa tới nửa số điểm"
        " đo được áp dụng thì không xếp hạng.",
        "Within peers of the same kind and level. Equal scores share a place (1, 1, 3). The maximum is of the components"
        " that are measured and apply to the unit; not applicable is not 0 points. A unit to which less than half of the measured"
        " points apply is not ranked.",
    ),
    "place": ("Hạng", "Place"),
    "agency": ("Cơ quan", "Agency"),
    "most_lost": ("Mất nhiều nhất ở", "Most lost in"),
    "not_ranked": ("không xếp", "not ranked"),
    "excluded": ("loại", "excluded"),
    "so-ban-nganh province": ("Sở, ban, ngành cấp tỉnh", "Departments of the province"),
    "cnvpdk province": ("Chi nhánh Văn phòng Đăng ký đất đai", "Branches of the land registration office"),
    "quan-huyen district": ("UBND cấp huyện", "District People's Committees"),
    "xa-phuong commune": ("UBND cấp xã", "Commune People's Committees"),
    "communes_note": (
        "Mười xã đầu và mười xã cuối; tất cả ở phụ lục.",
        "The first and the last ten; all in the annex.",
    ),
    "assessed": ("Đánh giá hằng năm đã công bố", "Yearly assessment as published"),
    "assessed_note": (
        "Hạng theo % của điểm thẩm định trên điểm tối đa áp dụng, trong nhóm cùng loại và cấp. Bằng nhau thì cùng hạng, ghi"
        " dấu =, hạng sau bỏ trống (1, 1, 3). Không xếp hạng không phải là 0 điểm.",
        "Places by the verified score in % of the maximum that applies, within peers of the same kind and level. Equal ones"
        " share a place, marked =, and the next place stays empty (1, 1, 3). Not ranked is not 0 points.",
    ),
    "year": ("Năm", "Year"),
    "remark": ("Ghi chú", "Remark"),
    "ties": ("đồng hạng, {n} cơ quan", "{n} agencies share the place"),
    "left_out": ("không áp dụng {components} ({points} điểm)", "{components} not applicable ({points} points)"),
    "assessed_excluded": ("loại khỏi xếp hạng", "excluded from the ranking"),
    "assessed_incomplete": ("chưa thẩm định đủ", "not verified in full"),
    "self": ("Tự chấm", "Self"),
    "verified": ("Thẩm định", "Verified"),
    "version": ("phiên bản", "version"),
    "s6": ("Hồ sơ quá hạn", "Overdue dossiers"),
    "s6_note": ("Tại thời điểm mới nhất của dữ liệu", "At the latest moment the data knows"),
    "no_late": ("Không có hồ sơ quá hạn.", "No dossier is overdue."),
    "open": ("Đang xử lý", "Open"),
    "overdue": ("Quá hạn", "Overdue"),
    "over_30": ("Hơn 30 ngày", "Over 30 days"),
    "due_soon": ("Đến hạn 3 ngày tới", "Due in 3 days"),
    "most_days": ("Lâu nhất, ngày", "Longest, days"),
    "oldest": ("Hồ sơ lâu nhất", "Oldest dossier"),
    "s7": ("Định danh điện tử theo xã", "Electronic identity by commune"),
    "s7_none": ("Chưa có báo cáo của kỳ này.", "There is no report of this period."),
    "issued": ("Đã cấp", "Issued"),
    "activated": ("Đã kích hoạt", "Activated"),
    "below_half": ("xã dưới 50 %, in đậm", "communes below 50 %, in bold"),
    "unplaced": ("Báo cáo không xác định được xã", "Reports whose commune was not found"),
    "s8": ("Nhiệm vụ theo Quyết định 1982", "Tasks of Decision 1982"),
    "group": ("Nhóm", "Group"),
    "assigned": ("Được giao", "Assigned"),
    "carried_out": ("Đã thực hiện", "Carried out"),
    "under_way": ("Đang triển khai", "Under way"),
    "not_begun": ("Chưa triển khai", "Not begun"),
    "late": ("Quá hạn", "Late"),
    "no_progress": ("không ghi tiến độ", "without a note of progress"),
    "CHUNG": ("Nhiệm vụ chung", "General"),
    "CQS": ("Chính quyền số", "Digital government"),
    "KTS": ("Kinh tế số", "Digital economy"),
    "XHS": ("Xã hội số", "Digital society"),
    "s9": ("Kinh phí chuyển đổi số", "DX budget"),
    "million": ("triệu đồng", "million đồng"),
    "no_budget": ("Chưa có số liệu kinh phí của năm.", "There is no budget of the year."),
    "allocated": ("Dự toán giao", "Allocated"),
    "adjusted": ("Sau điều chỉnh", "Adjusted"),
    "disbursed": ("Giải ngân", "Disbursed"),
    "unfunded": ("Nhiệm vụ chưa có kinh phí", "Tasks without funds"),
    "implausible": ("dòng có số tiền bất thường không tính vào tổng", "lines of an implausible amount are in no total"),
    "s10": ("Chất lượng dữ liệu theo đơn vị", "Data quality by department"),
    "department": ("Đơn vị", "Department"),
    "datasets": ("Bộ dữ liệu", "Datasets"),
    "read": ("Đã đọc", "Read"),
    "rejected": ("Bị loại", "Rejected"),
    "duplicate": ("Trùng", "Duplicate"),
    "flagged": ("Có cảnh báo", "Flagged"),
    "annex": ("Phụ lục", "Annex"),
    "a1": ("Xếp hạng tất cả UBND cấp xã", "All commune People's Committees"),
    "a2": ("Phương pháp và phiên bản", "Methods and versions"),
    "method_score": (
        "Điểm = điểm tối đa × min(1, tỷ lệ / mục tiêu). Mẫu số bằng 0 là không áp dụng: không phải 0 điểm, cũng không phải"
        " điểm tối đa, và làm giảm điểm tối đa. Không làm tròn trước khi so sánh; số in ở đây làm tròn hai chữ số.",
        "Score = maximum × min(1, share / target). A denominator of 0 is not applicable: neither 0 nor full points, and it"
        " lowers the maximum. Nothing is rounded before it is compared; what is printed here is rounded to two decimals.",
    ),
    "method_on_time": (
        "Chỉ tiêu 2.1: thời điểm kết thúc (trạng thái 9, nếu không có thì 10, nếu không có thì 8, 3, 7) không sau hạn, đã"
        " trừ thời gian bổ sung; yêu cầu bổ sung hơn một lần là quá hạn; chưa kết thúc xét đến cuối kỳ; không hẹn trả thì"
        " so với thời hạn của thủ tục theo ngày làm việc.",
        "Indicator 2.1: the end (status 9, else 10, else 8, 3, 7) not after the due time, the time of a supplement taken"
        " off; more than one request for supplements is overdue; what has not ended is judged at the end of the period;"
        " without a due date the procedure's time limit in working days decides.",
    ),
    "method_rows": (
        "Mỗi điểm mất dẫn đến từng hồ sơ: dx score rows",
        "Every point lost leads to its dossiers: dx score rows",
    ),
    "calendar": ("Lịch làm việc", "Working days"),
    "calendar_provisional": (
        "Lịch nghỉ năm {year} còn tạm tính, chưa xác nhận: {days}. Hạn tính theo ngày làm việc có thể xê dịch.",
        "The days off of {year} are provisional, not confirmed: {days}. Deadlines in working days may move.",
    ),
    "calendar_weekends_only": (
        "Chưa có lịch nghỉ năm {year}: chỉ trừ cuối tuần. Hạn tính theo ngày làm việc có thể xê dịch.",
        "There are no days off of {year}: only weekends are left out. Deadlines in working days may move.",
    ),
    "sets": ("Bộ chỉ số có hiệu lực", "Sets of indicators in force"),
    "valid_from": ("Hiệu lực từ", "Valid from"),
    "components": ("Thành phần", "Components"),
    "measured": ("Đo được", "Measured"),
    "revision": ("Lần nạp", "Revision"),
    "state": ("Tình trạng", "State"),
    "complete": ("đủ", "complete"),
    "partial": ("một phần", "in part"),
    "placeholder": ("chưa nạp", "to be loaded"),
    "sources": ("Nguồn dữ liệu và lô cuối", "Data and its last batch"),
    "batch": ("Lô", "Batch"),
    "loaded": ("Nạp lúc", "Loaded"),
    "fingerprint": ("Dấu vân tay số liệu (SHA-256)", "Fingerprint of the numbers (SHA-256)"),
    "as_known": ("Tính theo những gì kho biết đến", "Made from what the warehouse knew at"),
    "changed_since": ("Từ đó số liệu đã thay đổi ở", "The numbers have changed since in"),
    "unchanged_since": ("Từ đó chưa phần nào thay đổi.", "No section has changed since."),
    "as_now": ("đọc theo hiện tại vì không có lịch sử", "read as it is now, for it keeps no history"),
    "no_assessment": ("Chưa công bố đánh giá nào của năm.", "No assessment of the year has been published."),
    "budget-1": ("Đơn vị không có trong danh mục", "Units not in the catalogue"),
    "budget-2": ("Không phải cơ quan của tỉnh", "No agencies of the province"),
    "other_peers": ("Khác", "Others"),
}
_PERIOD = {
    "vi": {"month": "tháng {n} năm {y}", "quarter": "quý {r} năm {y}", "half": "{h} năm {y}", "year": "năm {y}"},
    "en": {"month": "{m} {y}", "quarter": "quarter {n} of {y}", "half": "{h} of {y}", "year": "{y}"},
}
_HALF = {"vi": ("6 tháng đầu", "6 tháng cuối"), "en": ("first half", "second half")}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def words(language: str) -> dict[str, str]:
    """Key → word in the language."""
    position = LANGUAGES.index(language)
    return {key: texts[position] for key, texts in _WORDS.items()}


def period_in_words(period: Period, language: str) -> str:
    """The period as a person writes it."""
    return _PERIOD[language][period.kind].format(
        n=period.number,
        y=period.year,
        r=("I", "II", "III", "IV")[(period.number - 1) % 4],
        h=_HALF[language][(period.number - 1) % 2],
        m=_MONTHS[(period.number - 1) % 12],
    )


def province_in_words(name: str, language: str) -> str:
    """The name of the province: ``Tỉnh Quảng Trị`` or ``Quảng Trị Province``."""
    plain = name.removeprefix("Tỉnh ")
    return f"{plain} Province" if language == "en" and plain != name else name


def day(text: str, language: str) -> str:
    """A moment that begins with an ISO date, as the language writes it: 30/06/2024 or 2024-06-30."""
    return f"{text[8:10]}/{text[5:7]}/{text[:4]}{text[10:]}" if language == "vi" else text


def amount(value: str | float | int | None, language: str, decimals: int | None = None) -> str:
    """A number as the language writes it: 1.234,5 or 1,234.5; without decimals given, those it has."""
    if value is None:
        return "–"
    exact = Decimal(str(value))
    if decimals is not None:
        exact = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{exact:,f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "vi" else text
