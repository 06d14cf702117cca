import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird

/// Whom a page is rendered for: of which app, in which language, in which browser.
struct PageReader: Sendable {
    let app: AppRecord?
    let language: String
    /// What the forms of the page are bound to.
    let browser: OneTimeToken
    /// Whether the browser has had no cookie yet, and gets one with the page's first form.
    let isNewBrowser: Bool
}

extension Pages {
    /// Whoever sent a request.
    ///
    /// - Parameters:
    ///   - request: The request, with the browser's languages and perhaps `ui_locales`.
    ///   - app: The app whose page it is.
    ///   - locale: What the client asked for when it sent the browser here.
    /// - Returns: The reader.
    func reader(of request: Request, _ app: AppRecord?, locale: String? = nil) -> PageReader {
        let asked = (request.uri.query?.utf8).flatMap { try? FormBody(Array($0))["ui_locales"] }
        let language = texts.languages.choose(
            uiLocales: asked ?? locale, acceptLanguage: request.headers[.acceptLanguage],
            app: app?.scope.settings.defaultLocale)
        let known = app.flatMap { HostedCookies.tokens(in: request, of: $0.scope).browser }
        return PageReader(
            app: app, language: language, browser: known ?? .make(.browser, random: random),
            isNewBrowser: known == nil)
    }

    /// What a page says of a flow's refusal, in its reader's language: the rule that was broken, where it is known.
    func text(_ refusal: Refusal, for reader: PageReader) -> String {
        let values = refusal.detailNumber.map { ["number": "\($0)"] } ?? [:]
        let detail = refusal.detailCode.flatMap { code in
            texts.text("\(refusal.code.rawValue)_\(code)", in: reader.language, values)
        }
        return detail ?? refusal.detail ?? text(refusal.code, for: reader)
    }

    /// What a page says of a problem, in its reader's language.
    func text(_ code: ProblemCode, for reader: PageReader) -> String {
        texts.text("problem_\(code.rawValue)", in: reader.language) ?? code.title
    }

    /// A text that is not the template's own.
    func text(_ name: String, for reader: PageReader, _ values: [String: String] = [:]) -> String {
        texts.text(name, in: reader.language, values) ?? name
    }
}
