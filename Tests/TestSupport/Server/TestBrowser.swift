package import Curl
import Foundation
import GatepostModel
import Synchronization

/// A browser on the hosted pages: it keeps its cookies, and says of a form that it comes from the page itself.
///
/// It follows nothing by itself, so that a test sees each step.
package final class TestBrowser: Sendable {
    package let server: TestServer
    private let cookies = Mutex<[String: String]>([:])

    /// Opens one that has been nowhere.
    package init(_ server: TestServer) {
        self.server = server
    }

    /// The value of a cookie whose name begins so; nil if it has none.
    package func cookie(_ prefix: String) -> String? {
        cookies.withLock { all in all.first { $0.key.hasPrefix(prefix) }?.value }
    }

    /// Takes a cookie as another browser has it, as whoever stole it would.
    package func plant(_ prefix: String, of other: TestBrowser) {
        let planted = other.cookies.withLock { all in all.filter { $0.key.hasPrefix(prefix) } }
        cookies.withLock { all in all.merge(planted) { $1 } }
    }

    /// Opens an address.
    package func open(_ path: String, accepting languages: String? = nil) async throws -> HTTPResponse {
        var headers = [HTTPRequest.Header("Sec-Fetch-Site", "none")]
        if let languages { headers.append(.init("Accept-Language", languages)) }
        return try await send("GET", path, headers, nil)
    }

    /// Sends a form of a page, which was shown here and so carries what the browser's cookie says.
    package func submit(_ path: String, _ form: KeyValuePairs<String, String>) async throws -> HTTPResponse {
        let app = TestServer.app(of: path)
        // A page of the app, where none has been shown: every one with a form leaves the cookie.
        if cookie(TestServer.browserCookie(of: app)) == nil { _ = try await open("/apps/\(app)/password-reset") }
        let token = cookie(TestServer.browserCookie(of: app)).flatMap { OneTimeToken(.browser, presented: $0) }
        let fields = form.map { ($0.key, $0.value) } + [("form_token", token?.formToken ?? "")]
        let body = fields.map { "\($0.0)=\(TestServer.encode($0.1))" }.joined(separator: "&")
        let headers = [
            HTTPRequest.Header("Content-Type", "application/x-www-form-urlencoded"),
            HTTPRequest.Header("Sec-Fetch-Site", "same-origin"), HTTPRequest.Header("Origin", "null"),
        ]
        return try await send("POST", path, headers, Array(body.utf8))
    }

    private func send(
        _ method: String, _ path: String, _ headers: [HTTPRequest.Header], _ body: [UInt8]?
    ) async throws -> HTTPResponse {
        let held = cookies.withLock { $0.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ") }
        let all = headers + (held.isEmpty ? [] : [HTTPRequest.Header("Cookie", held)])
        let answer = try await server.client.send(HTTPRequest(method, server.url + path, headers: all, body: body))
        for header in answer.headers where header.name.lowercased() == "set-cookie" { keep(header.value) }
        return answer
    }

    private func keep(_ field: String) {
        let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2 else { return }
        let isGone = field.contains("Max-Age=0;") || field.hasSuffix("Max-Age=0") || pair[1].isEmpty
        cookies.withLock { $0[String(pair[0])] = isGone ? nil : String(pair[1]) }
    }
}

extension TestServer {
    /// The address to which the test's client sends a browser, but for what a test changes.
    ///
    /// - Parameters:
    ///   - changes: Parameters by name; nil leaves one out.
    ///   - more: What is written behind them as it is.
    /// - Returns: The path with its query.
    package func authorizePath(_ changes: [String: String?] = [:], more: String = "") -> String {
        var parameters: [String: String?] = [
            "response_type": "code", "client_id": "\(app.client)", "redirect_uri": TestFlows.redirectURI,
            "code_challenge": CodeChallenge(verifier: TestFlows.codeVerifier)?.text, "code_challenge_method": "S256",
            "state": "xyz",
        ]
        parameters.merge(changes) { $1 }
        let query = parameters.compactMap { name, value in value.map { "\(name)=\(Self.encode($0))" } }
        return "/apps/\(app.id)/oauth/authorize?\(query.sorted().joined(separator: "&"))\(more)"
    }
}

extension HTTPResponse {
    /// Where the answer sends a browser.
    package var location: String? { header("Location") }

    /// A parameter of the address that the answer sends a browser to, decoded; nil if it has none, or two.
    package func parameter(_ name: String) -> String? {
        let query = (location ?? "").split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        let found = query.split(separator: "&").filter { $0.hasPrefix("\(name)=") }
        return found.count == 1 ? found[0].dropFirst(name.count + 1).removingPercentEncoding : nil
    }
}
