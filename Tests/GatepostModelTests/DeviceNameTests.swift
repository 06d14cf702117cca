import GatepostModel
import Testing

@Suite("Device names")
struct DeviceNameTests {
    static let browsers: [(String, String?)] = [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 "
                + "Safari/537.36 Edg/150.0.0.0", "Edge on Windows"
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                + "Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 "
                + "Mobile Safari/537.36", "Chrome on Android"
        ),
        ("curl/8.14.1", "curl"), ("Lighthouse/2.1 (build 7)", "Lighthouse"), ("Mozilla/5.0 (Macintosh)", "Mac"),
        ("", nil), ("<script>", nil), ("   ", nil),
    ]

    @Test(arguments: browsers.indices) func `a device is called what people call it`(_ index: Int) {
        let (text, name) = Self.browsers[index]
        #expect(DeviceName(userAgent: text)?.description == name)
    }
}
