/// What a person calls a device, made of what its browser says of itself: `Firefox on Linux`.
///
/// A guess for a list of sessions, so that people find the one they mean; nothing is decided by it.
package struct DeviceName: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// What a browser's name looks like in a user agent; the first that is found counts, since many name others too.
    private static let browsers: [(mark: String, name: String)] = [
        ("Edg/", "Edge"), ("EdgA/", "Edge"), ("EdgiOS/", "Edge"), ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
        ("Safari/", "Safari"), ("curl/", "curl"),
    ]

    private static let systems: [(mark: String, name: String)] = [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"),
        ("Macintosh", "Mac"), ("Linux", "Linux"),
    ]

    /// Guesses; nil where there is nothing to go by.
    package init?(userAgent: String?) {
        guard let userAgent, !userAgent.isEmpty else { return nil }
        let browser = Self.browsers.first { userAgent.contains($0.mark) }?.name
        let system = Self.systems.first { userAgent.contains($0.mark) }?.name
        switch (browser, system) {
        case (let browser?, let system?): description = "\(browser) on \(system)"
        case (let name?, nil), (nil, let name?): description = name
        case (nil, nil):
            // A program names itself first: `Lighthouse/2.1 (…)`.
            let word = userAgent.prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." }.prefix(40)
            guard let first = word.first, first.isLetter else { return nil }
            description = String(word)
        }
    }
}
