/// What a browser says of itself, in a few words that its owner recognises: `Firefox on Linux`.
///
/// A guess for people, never for a decision: whoever sends the field writes in it what they like.
struct DeviceName {
    /// Nil where nothing is recognised.
    let text: String?

    init(userAgent: String?) {
        guard let userAgent else {
            text = nil
            return
        }
        // The first that is found: each of these names the ones behind it as well.
        let browsers = [
            ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
            ("FxiOS/", "Firefox"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("CriOS/", "Chrome"),
            ("Safari/", "Safari"), ("curl/", "curl"),
        ]
        let systems = [
            ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"),
            ("Windows", "Windows"), ("Macintosh", "Mac"), ("Linux", "Linux"),
        ]
        func found(_ names: [(String, String)]) -> String? { names.first { userAgent.contains($0.0) }?.1 }
        let parts = [found(browsers), found(systems)].compactMap(\.self)
        text = parts.isEmpty ? nil : parts.joined(separator: " · ")
    }
}
