import Foundation
import GatepostFlows
import GatepostModel
import GatepostStore
import HTTPTypes
import Hummingbird
import Mustache

/// Renders the hosted pages, complete without scripts, under a policy that forbids everything else.
struct Pages: Sendable {
    /// A template, a style or a text that the program was packaged without, or that does not parse.
    struct Unreadable: Error {
        let name: String
    }

    /// What the pages say.
    let texts: PageTexts
    /// Where the tokens of browsers come from that are here for the first time.
    let random: any RandomSource
    private let library: MustacheLibrary
    private let styleSource: String

    /// Reads the templates and texts that come with the program.
    init(random: any RandomSource) throws {
        self.random = random
        let bundle = Bundle.module.bundleURL
        texts = try PageTexts(folder: bundle.appendingPathComponent("Texts"))
        let folder = bundle.appendingPathComponent("Templates")
        var library = MustacheLibrary()
        MustacheContentTypes.register(ScalarHTML(), named: ScalarHTML.name)
        var style: String?
        for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            let file = folder.appendingPathComponent(path)
            let name = file.deletingPathExtension().lastPathComponent
            guard ["mustache", "css"].contains(file.pathExtension) else { continue }
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { throw Unreadable(name: path) }
            if file.pathExtension == "css" {
                // A partial, so that the style stands in the page byte for byte as its hash was taken.
                try library.register(text, named: "\(name)-style")
                if name == "page" { style = text }
            } else {
                // In each template, because a layout does not take it over from the page that fills it.
                try library.register("{{% CONTENT_TYPE:\(ScalarHTML.name)}}\n" + text, named: name)
            }
        }
        guard let style else { throw Unreadable(name: "page.css") }
        self.library = library
        styleSource = PageLook.source(ofStyle: style)
    }

    /// A page as an answer.
    func response(
        _ page: some PageContent, to reader: PageReader, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let look = reader.app.map(PageLook.init)
        let values = page.values.merging(["app": look?.name ?? "Gatepost"]) { own, _ in own }
        let view = PageView(
            lang: reader.language, t: texts.all(in: reader.language, values), app: look?.name,
            initial: look?.name.first.map { $0.uppercased() }, logo: look?.logo, brand: look?.style, page: page)
        var headers = Self.headers(policy: policy(of: page, look))
        headers[.contentLanguage] = reader.language
        let html = try render(view, page.template)
        let bound = Self.binding(html, to: reader.browser)
        var response = Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: bound)))
        if bound != html, reader.isNewBrowser, let scope = reader.app?.scope {
            response.setCookie(HostedCookies.browser(reader.browser, of: scope))
        }
        return response
    }

    /// A page with a form, again where there is something to say of the last try.
    func formResponse(
        _ page: some FormPage, to reader: PageReader, limitedBy refusal: Refusal? = nil
    ) throws -> Response {
        let status: HTTPResponse.Status =
            refusal != nil ? .tooManyRequests : page.problem == nil ? .ok : .unprocessableContent
        var response = try response(page, to: reader, status: status)
        if let refusal { response.headers[.retryAfter] = Problem(refusal).allHeaders[.retryAfter] }
        return response
    }

    /// Gives each form that is posted the hidden field that `OwnForms` asks for.
    ///
    /// Here and not in the templates, so that none can forget it. No value can look like a form: all are escaped.
    private static func binding(_ html: String, to browser: OneTimeToken) -> String {
        let field = "<input type=\"hidden\" name=\"\(OwnForms.field)\" value=\"\(browser.formToken)\">"
        return html.replacing(/<form method="post"[^>]*>/) { "\($0.output)\n\(field)" }
    }

    /// A page of the development server, whose policy lets a mail's own style through.
    ///
    /// A mail brings its own style, and its page is never reached in production.
    func developmentResponse(_ page: some PageContent) throws -> Response {
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; "
            + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        let html = try render(page, page.template)
        return Response(
            status: .ok, headers: Self.headers(policy: policy), body: .init(byteBuffer: ByteBuffer(string: html)))
    }

    private func render(_ view: Any, _ template: String) throws -> String {
        guard let html = library.render(view, withTemplate: template) else { throw Unreadable(name: template) }
        return html
    }

    /// Nothing is loaded, run or framed but the app's logo; the styles are named by their hashes (OWASP ASVS 3.4.3).
    private func policy(of page: some PageContent, _ look: PageLook?) -> String {
        let styles = [styleSource, look?.styleSource].compactMap(\.self).joined(separator: " ")
        let image = look?.logo.map { "img-src \($0); " } ?? ""
        let targets = (["'self'"] + page.formTargets).joined(separator: " ")
        return "default-src 'none'; style-src \(styles); \(image)form-action \(targets); frame-ancestors 'none'; "
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

/// What the templates read by name.
private struct PageView {
    let lang: String
    let t: [String: String]
    let app: String?
    /// Stands beside the name where there is no logo.
    let initial: String?
    let logo: String?
    let brand: String?
    let page: any PageContent
}

/// How values are escaped where a template prints them, instead of Mustache's own way, which is by character.
private struct ScalarHTML: MustacheContentType {
    static let name = "SCALAR_HTML"

    func escapeText(_ text: String) -> String { HTMLText(text).escaped }
}
