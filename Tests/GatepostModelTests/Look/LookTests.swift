import GatepostModel
import Testing

@Suite("Choice of a language")
struct LocaleChoiceTests {
    let choice = LocaleChoice(supported: ["de", "en", "pt-BR"])

    @Test func `the person comes first, then the client, the browser, the app, and English`() {
        #expect(choice.choose(person: "de", uiLocales: "en", acceptLanguage: "en", app: "en") == "de")
        #expect(choice.choose(person: "xx", uiLocales: "de", acceptLanguage: "en", app: "en") == "de")
        #expect(choice.choose(uiLocales: "fr it", acceptLanguage: "de", app: "en") == "de")
        #expect(choice.choose(acceptLanguage: "fr", app: "de") == "de")
        #expect(choice.choose(app: "fr") == "en")
    }

    @Test func `a variant that is not there is met by its language`() {
        #expect(choice.language(for: "de-AT") == "de")
        #expect(choice.language(for: "DE-Latn-CH-1996") == "de")
        #expect(choice.language(for: "pt-br") == "pt-BR")
        #expect(choice.language(for: "pt") == nil)
        #expect(choice.language(for: "d") == nil)
        #expect(choice.language(for: "") == nil)
    }

    @Test func `a browser's wishes are weighed`() {
        #expect(choice.language(forAcceptLanguage: "en;q=0.3, de;q=0.9") == "de")
        #expect(choice.language(forAcceptLanguage: "en, de") == "en")
        #expect(choice.language(forAcceptLanguage: "de;q=0, en;q=0.1") == "en")
        #expect(choice.language(forAcceptLanguage: "*, ;q=x,,") == nil)
        #expect(choice.language(forAcceptLanguage: String(repeating: "fr,", count: 1000) + "de") == nil)
    }

    @Test func `a tag is letters, digits and hyphens`() {
        for tag in ["en", "pt-BR", "de-1996"] { #expect(LocaleChoice.isTag(tag)) }
        for tag in ["", "e", "../en", "en_US", "1e", "ä-b", String(repeating: "a", count: 36)] {
            #expect(!LocaleChoice.isTag(tag))
        }
    }
}

@Suite("Colour of an app")
struct BrandColorTests {
    /// WCAG 2.2, 1.4.3: whatever an admin picks, text of it and text on it has a contrast of 4.5.
    @Test func `every colour becomes one that can be read, light and dark`() throws {
        for red in stride(from: 0, through: 255, by: 15) {
            for green in stride(from: 0, through: 255, by: 15) {
                for blue in stride(from: 0, through: 255, by: 15) {
                    let hex = [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                    let picked = try #require(BrandColor("#\(hex)"))
                    for ground in [BrandColor.lightGround, .darkGround] {
                        let shown = picked.readable(on: ground)
                        #expect(shown.contrast(with: ground) >= 4.5, "#\(hex)")
                        #expect(shown.contrast(with: shown.ink) >= 4.5, "#\(hex)")
                        #expect(shown.pointedAt.contrast(with: shown.ink) >= 4.5, "#\(hex)")
                    }
                }
            }
        }
    }

    @Test func `a colour that can be read stays as it is`() throws {
        #expect(try #require(BrandColor("#14594C")).readable(on: .lightGround).text == "#14594c")
    }

    @Test func `contrast is that of the standard`() throws {
        let (black, white) = (try #require(BrandColor("#000000")), try #require(BrandColor("#ffffff")))
        #expect(black.contrast(with: white) == 21)
        // WebAIM's own example: the lightest grey on white that passes.
        #expect(abs(try #require(BrandColor("#767676")).contrast(with: white) - 4.54) < 0.01)
    }

    @Test(arguments: ["", "red", "#fff", "14594c", "#14594g", "#14594c;", "#14594\u{301}", "#+1594c"])
    func `anything else is no colour`(text: String) {
        #expect(BrandColor(text) == nil)
    }
}

@Suite("Address of a logo")
struct LogoURLTests {
    @Test(arguments: ["https://cdn.example.com/logo.svg", "https://a.b.example/x/y_z-1~2.png"])
    func `a plain https address is taken`(text: String) {
        #expect(LogoURL(text)?.text == text)
    }

    @Test(arguments: [
        "", "http://cdn.example.com/logo.svg", "https://cdn.example.com", "https://cdn.example.com/",
        "https://localhost/logo.svg", "https://10.0.0.1/logo.svg", "https://cdn.example.com/logo.svg?x",
        "https://cdn.example.com/a;img-src *", "https://cdn.example.com/a b", "https://cdn.example.com/\"onload=x",
        "https://u@cdn.example.com/logo.svg", "https://.example.com/x", "https://*.example.com/x", "data:image/png,x",
        "https://cdn.example.com/a'b", "https://cdn.example.com/a,b", "https://cdn.example.com/a%0db",
    ])
    func `what could mean something else in a policy is not`(text: String) {
        #expect(LogoURL(text) == nil)
    }
}
