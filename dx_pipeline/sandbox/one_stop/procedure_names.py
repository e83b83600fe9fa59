"""Words from which the procedure catalogue is written: fields, and what is applied for in each.

The names of fields are those in use; the procedures' names are composed, except the common ones in
``COMMON``, whose codes and names are the national ones.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Field(NamedTuple):
    """One field of procedures (lĩnh vực)."""

    code: str
    name: str
    owner: str  # group code of the department that owns it
    levels: str  # T province, H district, X commune
    objects: tuple[str, ...]


class Common(NamedTuple):
    """A procedure everybody knows, with its share of its level's dossiers."""

    code: str
    name: str
    field: str
    level: str
    days: int
    fee: bool
    share: float


ACTIONS: Final = (
    "Cấp",
    "Cấp lại",
    "Gia hạn",
    "Điều chỉnh",
    "Thu hồi",
    "Thẩm định",
    "Đăng ký",
    "Phê duyệt",
    "Công nhận",
    "Chấp thuận thay đổi",
)


def _field(code: str, name: str, owner: str, levels: str, objects: str) -> Field:
    return Field(code, name, owner, levels, tuple(part.strip() for part in objects.split(";")))


FIELDS: Final[tuple[Field, ...]] = (
    _field(
        "HT",
        "Hộ tịch",
        "STP",
        "THX",
        "nội dung thay đổi hộ tịch; việc nhận cha, mẹ, con; việc giám hộ; việc nuôi con nuôi; "
        "giấy tờ hộ tịch có yếu tố nước ngoài; nội dung ghi chú ly hôn; sổ hộ tịch điện tử",
    ),
    _field(
        "CT",
        "Chứng thực",
        "STP",
        "HX",
        "hợp đồng, giao dịch về tài sản; chữ ký người dịch; văn bản phân chia di sản; di chúc; "
        "giấy ủy quyền; văn bản từ chối nhận di sản",
    ),
    _field(
        "LLTP",
        "Lý lịch tư pháp, luật sư, công chứng",
        "STP",
        "T",
        "phiếu lý lịch tư pháp; hoạt động văn phòng luật sư; thẻ công chứng viên; văn phòng công "
        "chứng; tổ chức đấu giá tài sản; trung tâm tư vấn pháp luật; người giám định tư pháp",
    ),
    _field(
        "DD",
        "Đất đai",
        "STNMT",
        "THX",
        "giấy chứng nhận quyền sử dụng đất; biến động quyền sử dụng đất; hồ sơ chuyển mục đích sử "
        "dụng đất; hồ sơ thuê đất; thế chấp quyền sử dụng đất; kết quả hòa giải tranh chấp đất "
        "đai; hồ sơ tách thửa, hợp thửa; phương án bồi thường, hỗ trợ tái định cư",
    ),
    _field(
        "MT",
        "Môi trường",
        "STNMT",
        "TH",
        "giấy phép môi trường; báo cáo đánh giá tác động môi trường; phương án cải tạo, phục hồi "
        "môi trường; kế hoạch quản lý chất thải; hồ sơ xả nước thải vào nguồn nước",
    ),
    _field(
        "KS",
        "Địa chất khoáng sản và tài nguyên nước",
        "STNMT",
        "T",
        "giấy phép thăm dò khoáng sản; giấy phép khai thác khoáng sản; giấy phép khai thác nước "
        "dưới đất; đề án đóng cửa mỏ; giấy phép hành nghề khoan; trữ lượng khoáng sản",
    ),
    _field(
        "DN",
        "Thành lập và hoạt động của doanh nghiệp",
        "SKHDT",
        "T",
        "nội dung đăng ký doanh nghiệp; chi nhánh, văn phòng đại diện; hồ sơ chuyển đổi loại hình "
        "doanh nghiệp; hồ sơ giải thể doanh nghiệp; tạm ngừng kinh doanh; hồ sơ góp vốn, mua cổ "
        "phần; doanh nghiệp xã hội",
    ),
    _field(
        "HKD",
        "Hộ kinh doanh và hợp tác xã",
        "SKHDT",
        "H",
        "giấy chứng nhận hộ kinh doanh; nội dung hộ kinh doanh; giấy chứng nhận hợp tác xã; tạm "
        "ngừng hộ kinh doanh; chấm dứt hoạt động hộ kinh doanh",
    ),
    _field(
        "DT",
        "Đầu tư và đấu thầu",
        "SKHDT",
        "T",
        "chủ trương đầu tư; giấy chứng nhận đăng ký đầu tư; văn phòng điều hành dự án nước ngoài; "
        "kế hoạch lựa chọn nhà thầu; dự án sử dụng vốn viện trợ; hồ sơ ưu đãi đầu tư",
    ),
    _field(
        "LTHH",
        "Lưu thông hàng hóa trong nước",
        "SCT",
        "TH",
        "giấy phép bán buôn rượu; giấy phép bán lẻ thuốc lá; cửa hàng xăng dầu; cửa hàng bán lẻ "
        "khí dầu mỏ hóa lỏng; giấy phép bán lẻ rượu; hoạt động xúc tiến thương mại",
    ),
    _field(
        "DIEN",
        "Điện, hóa chất, vật liệu nổ",
        "SCT",
        "T",
        "giấy phép hoạt động điện lực; giấy phép sử dụng vật liệu nổ công nghiệp; kho chứa hóa "
        "chất; giấy chứng nhận huấn luyện an toàn hóa chất; phương án ứng phó sự cố hóa chất",
    ),
    _field(
        "TTBV",
        "Trồng trọt và bảo vệ thực vật",
        "SNNPTNT",
        "TX",
        "giấy phép buôn bán phân bón; giấy phép buôn bán thuốc bảo vệ thực vật; mã số vùng trồng; "
        "chuyển đổi cơ cấu cây trồng trên đất lúa; giống cây đầu dòng",
    ),
    _field(
        "CNTY",
        "Chăn nuôi và thú y",
        "SNNPTNT",
        "TX",
        "giấy chứng nhận điều kiện chăn nuôi; cơ sở an toàn dịch bệnh; chứng chỉ hành nghề thú y; "
        "cơ sở giết mổ tập trung; kê khai hoạt động chăn nuôi",
    ),
    _field(
        "TS",
        "Thủy sản",
        "SNNPTNT",
        "T",
        "giấy phép khai thác thủy sản; giấy chứng nhận tàu cá; mã số cơ sở nuôi trồng thủy sản; "
        "an toàn kỹ thuật tàu cá; nguồn gốc thủy sản khai thác; giấy tờ cảng cá",
    ),
    _field(
        "LN",
        "Lâm nghiệp và kiểm lâm",
        "SNNPTNT",
        "TH",
        "phương án quản lý rừng bền vững; hồ sơ chuyển mục đích sử dụng rừng; bảng kê lâm sản; mã "
        "số cơ sở nuôi động vật rừng; phương án khai thác gỗ rừng trồng",
    ),
    _field(
        "TL",
        "Thủy lợi và phòng chống thiên tai",
        "SNNPTNT",
        "THX",
        "giấy phép hoạt động trong phạm vi công trình thủy lợi; phương án ứng phó thiên tai; quy "
        "trình vận hành hồ chứa; hỗ trợ khôi phục sản xuất sau thiên tai",
    ),
    _field(
        "DB",
        "Đường bộ",
        "SGTVT",
        "TH",
        "giấy phép lái xe; giấy phép kinh doanh vận tải; phù hiệu xe ô tô; giấy phép liên vận "
        "Việt - Lào; giấy phép thi công trên đường bộ; giấy phép xe tập lái; xe máy chuyên dùng",
    ),
    _field(
        "DTND",
        "Đường thủy nội địa và đăng kiểm",
        "SGTVT",
        "TH",
        "phương tiện thủy nội địa; bến thủy nội địa; giấy chứng nhận an toàn kỹ thuật xe cơ giới; "
        "chứng chỉ thuyền viên; khu vực neo đậu",
    ),
    _field(
        "XD",
        "Hoạt động xây dựng",
        "SXD",
        "TH",
        "giấy phép xây dựng nhà ở riêng lẻ; giấy phép xây dựng công trình; báo cáo nghiên cứu khả "
        "thi; chứng chỉ hành nghề xây dựng; thiết kế xây dựng triển khai; kết quả nghiệm thu công "
        "trình",
    ),
    _field(
        "QHKT",
        "Quy hoạch, kiến trúc và nhà ở",
        "SXD",
        "TH",
        "đồ án quy hoạch chi tiết; chứng chỉ hành nghề kiến trúc; giấy phép quy hoạch; hồ sơ mua "
        "nhà ở xã hội; hạ tầng kỹ thuật đô thị",
    ),
    _field(
        "BCXB",
        "Báo chí, xuất bản và thông tin điện tử",
        "STTTT",
        "T",
        "giấy phép xuất bản bản tin; giấy phép trang thông tin điện tử; giấy phép nhập khẩu xuất "
        "bản phẩm; hoạt động cơ sở in; điểm cung cấp dịch vụ trò chơi điện tử; giấy phép họp báo",
    ),
    _field(
        "BCVT",
        "Bưu chính, viễn thông và phát thanh truyền hình",
        "STTTT",
        "T",
        "giấy phép bưu chính; vị trí lắp đặt trạm thu phát sóng; thiết bị thu tín hiệu truyền "
        "hình nước ngoài; văn bản xác nhận thông báo bưu chính; cung cấp dịch vụ viễn thông công "
        "cộng",
    ),
    _field(
        "NCC",
        "Người có công",
        "SLDTBXH",
        "THX",
        "trợ cấp người có công; hồ sơ thương binh; hồ sơ liệt sĩ; hỗ trợ nhà ở người có công; thẻ "
        "bảo hiểm y tế người có công; mai táng phí người có công",
    ),
    _field(
        "BTXH",
        "Bảo trợ xã hội",
        "SLDTBXH",
        "THX",
        "trợ cấp xã hội hằng tháng; mức độ khuyết tật; hỗ trợ chi phí mai táng; hộ nghèo, hộ cận "
        "nghèo; cơ sở trợ giúp xã hội; hỗ trợ khẩn cấp",
    ),
    _field(
        "VL",
        "Việc làm và an toàn lao động",
        "SLDTBXH",
        "T",
        "giấy phép lao động người nước ngoài; trợ cấp thất nghiệp; giấy phép cho thuê lại lao "
        "động; nội quy lao động; chứng nhận huấn luyện an toàn; hợp đồng đưa lao động đi nước "
        "ngoài",
    ),
    _field(
        "VHCS",
        "Văn hóa cơ sở và di sản",
        "SVHTTDL",
        "THX",
        "danh hiệu gia đình văn hóa; giấy phép kinh doanh karaoke; tổ chức lễ hội; quảng cáo "
        "ngoài trời; di vật, cổ vật; thư viện cộng đồng",
    ),
    _field(
        "TTDL",
        "Thể thao và du lịch",
        "SVHTTDL",
        "T",
        "thẻ hướng dẫn viên du lịch; giấy phép lữ hành; hạng cơ sở lưu trú du lịch; điều kiện "
        "kinh doanh hoạt động thể thao; điểm du lịch; giải thi đấu thể thao",
    ),
    _field(
        "KHCN",
        "Khoa học, công nghệ và đo lường",
        "SKHCN",
        "T",
        "hoạt động khoa học công nghệ; giấy phép tiến hành công việc bức xạ; công bố hợp quy; hợp "
        "đồng chuyển giao công nghệ; kết quả nhiệm vụ khoa học; chuẩn đo lường",
    ),
    _field(
        "GD",
        "Giáo dục và đào tạo",
        "SGDDT",
        "TH",
        "hoạt động trường mầm non; hoạt động trung tâm ngoại ngữ, tin học; chuyển trường học "
        "sinh; bản sao văn bằng, chứng chỉ; trường đạt chuẩn quốc gia; chế độ hỗ trợ học sinh bán "
        "trú; chương trình giáo dục kỹ năng sống",
    ),
    _field(
        "DP",
        "Dược phẩm và mỹ phẩm",
        "SYT",
        "T",
        "chứng chỉ hành nghề dược; giấy chứng nhận đủ điều kiện kinh doanh dược; công bố mỹ phẩm; "
        "hội thảo giới thiệu thuốc; giấy phép mua thuốc kiểm soát đặc biệt; thực hành tốt bảo "
        "quản thuốc",
    ),
    _field(
        "KCB",
        "Khám bệnh, chữa bệnh và an toàn thực phẩm",
        "SYT",
        "T",
        "giấy phép hành nghề khám bệnh, chữa bệnh; giấy phép hoạt động phòng khám; giấy chứng "
        "nhận an toàn thực phẩm; công bố đủ điều kiện tiêm chủng; danh mục kỹ thuật; giấy khám "
        "sức khỏe lái xe",
    ),
    _field(
        "TGTD",
        "Tín ngưỡng, tôn giáo, thi đua và hội",
        "SNV",
        "THX",
        "sinh hoạt tôn giáo tập trung; chương trình hoạt động tôn giáo; bằng khen, giấy khen; "
        "điều lệ hội; quỹ xã hội, quỹ từ thiện; cơ sở tín ngưỡng",
    ),
    _field(
        "TC",
        "Tài chính, giá và công sản",
        "STC",
        "TH",
        "mã số đơn vị quan hệ ngân sách; hồ sơ mua hóa đơn tài sản công; phương án giá; quyết "
        "định thanh lý tài sản công; hoàn trả khoản thu ngân sách",
    ),
    _field(
        "KKT",
        "Khu kinh tế, đối ngoại và dân tộc",
        "BQLKKT",
        "T",
        "giấy chứng nhận đầu tư trong khu kinh tế; nội quy lao động trong khu công nghiệp; thẻ đi "
        "lại doanh nhân; hội nghị, hội thảo quốc tế; người có uy tín trong đồng bào dân tộc",
    ),
    _field(
        "KNTC",
        "Khiếu nại, tố cáo và tiếp công dân",
        "TTT",
        "THX",
        "đơn khiếu nại lần đầu; đơn tố cáo; kế hoạch tiếp công dân; yêu cầu giải trình; kê khai tài sản, thu nhập",
    ),
)

#: National codes and names; the shares are of the dossiers of the level.
COMMON: Final[tuple[Common, ...]] = (
    Common("2.000815", "Chứng thực bản sao từ bản chính giấy tờ, văn bản", "CT", "X", 0, True, 0.30),
    Common("2.000635", "Cấp bản sao trích lục hộ tịch", "HT", "X", 1, True, 0.14),
    Common("1.001193", "Đăng ký khai sinh", "HT", "X", 1, False, 0.10),
    Common("1.004873", "Cấp giấy xác nhận tình trạng hôn nhân", "HT", "X", 3, True, 0.08),
    Common("1.000894", "Đăng ký kết hôn", "HT", "X", 1, False, 0.05),
    Common("1.000656", "Đăng ký khai tử", "HT", "X", 1, False, 0.04),
)
