import Crypto
import Foundation
import GatepostModel
import HTTPTypes
import Hummingbird
import Mustache

/// Renders the hosted pages, complete without scripts, under a policy that forbids everything else.
struct Pages: Sendable {
    /// A template or a style that the program was packaged without, or that does not parse.
    struct Unreadable: Error {
        let name: String
    }

    private static let templates = [
        "layout", "confirm", "choose-password", "link-gone", "link-done", "problem", "dev-layout", "mails", "mail",
        "audit-export", "invitation", "invitation-done",
    ]

    private let library: MustacheLibrary
    private let headers: HTTPFields
    private let developmentHeaders: HTTPFields

    /// Reads the templates that come with the program.
    init() throws {
        let folder = Bundle.module.bundleURL.appendingPathComponent("Templates")
        func text(_ file: String) throws -> String {
            do {
                return try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            } catch { throw Unreadable(name: file) }
        }
        var library = MustacheLibrary()
        MustacheContentTypes.register(ScalarHTML(), named: ScalarHTML.name)
        for name in Self.templates {
            // In each template, because a layout does not take it over from the page that fills it.
            let template = "{{% CONTENT_TYPE:\(ScalarHTML.name)}}\n" + (try text("\(name).mustache"))
            try library.register(template, named: name)
        }
        let (style, developmentStyle) = (try text("page.css"), try text("dev.css"))
        // A partial, so that the style stands in the page byte for byte as its hash was taken.
        try library.register(style, named: "style")
        try library.register(developmentStyle, named: "dev-style")
        self.library = library
        headers = Self.headers(policy: Self.policy(style: style))
        // A mail brings its own style, and its page is never reached in production.
        developmentHeaders = Self.headers(
            policy: "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; "
                + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
    }

    /// A page as an answer.
    func response(_ page: Page, status: HTTPResponse.Status = .ok) throws -> Response {
        guard let html = library.render(page.content, withTemplate: page.template) else {
            throw Unreadable(name: page.template)
        }
        return Response(
            status: status, headers: page.isForDevelopment ? developmentHeaders : headers,
            body: .init(byteBuffer: ByteBuffer(string: html)))
    }

    /// Nothing is loaded, run or framed; the one style is named by its hash (OWASP ASVS 3.4.3).
    private static func policy(style: String) -> String {
        let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
        return "default-src 'none'; style-src 'sha256-\(hash)'; form-action 'self'; frame-ancestors 'none'; "
            + "base-uri 'none'"
    }

    private static func headers(policy: String) -> HTTPFields {
        HTTPFields(fixed: [
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        ])
    }
}

/// How values are escaped where a template prints them, instead of Mustache's own way, which is by character.
private struct ScalarHTML: MustacheContentType {
    static let name = "SCALAR_HTML"

    func escapeText(_ text: String) -> String { HTMLText(text).escaped }
}
