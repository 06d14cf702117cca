package import Curl
import Foundation
package import GatepostModel

extension TestServer {
    /// Sends a request to the server.
    ///
    /// - Parameters:
    ///   - method: In capitals.
    ///   - path: From the first slash on.
    ///   - headers: Fields, in the order given.
    ///   - body: Bytes, if any.
    /// - Returns: The answer, whatever its status.
    /// - Throws: Why there is none.
    package func send(
        _ method: String, _ path: String, headers: KeyValuePairs<String, String> = [:], body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        try await client.send(
            HTTPRequest(method, url + path, headers: headers.map { .init($0.key, $0.value) }, body: body))
    }

    /// Sends a request with header fields that may repeat.
    package func send(
        _ method: String, _ path: String, fields: [HTTPRequest.Header], body: [UInt8]? = nil
    ) async throws -> HTTPResponse {
        try await client.send(HTTPRequest(method, url + path, headers: fields, body: body))
    }

    /// Sends JSON as text, so that a test can also send what is none.
    package func post(
        _ path: String, json: String, headers: KeyValuePairs<String, String> = [:]
    ) async throws -> HTTPResponse {
        let all = [HTTPRequest.Header("Content-Type", "application/json")] + headers.map { .init($0.key, $0.value) }
        return try await client.send(HTTPRequest("POST", url + path, headers: all, body: Array(json.utf8)))
    }

    /// Sends an object of texts.
    package func post(_ path: String, _ fields: [String: String]) async throws -> HTTPResponse {
        try await post(path, json: String(decoding: try JSONEncoder().encode(fields), as: UTF8.self))
    }

    /// Sends a form.
    package func post(
        _ path: String, form: KeyValuePairs<String, String>, headers: KeyValuePairs<String, String> = [:]
    ) async throws -> HTTPResponse {
        let body = form.map { "\($0.key)=\(Self.encode($0.value))" }.joined(separator: "&")
        let type = HTTPRequest.Header("Content-Type", "application/x-www-form-urlencoded")
        let all = [type] + headers.map { .init($0.key, $0.value) }
        return try await client.send(HTTPRequest("POST", url + path, headers: all, body: Array(body.utf8)))
    }

    /// Sends a form as a browser does in which its page was shown: with the cookie and the field that belong together.
    ///
    /// - Parameters:
    ///   - path: The page's.
    ///   - form: The fields that a person fills in.
    ///   - headers: Other header fields, with other cookies perhaps.
    /// - Returns: The answer, whatever its status.
    /// - Throws: Why there is none.
    package func submit(
        _ path: String, form: KeyValuePairs<String, String>, headers: KeyValuePairs<String, String> = [:]
    ) async throws -> HTTPResponse {
        let token = OneTimeToken.make(.browser, random: app.random)
        let held = headers.first { $0.key == "Cookie" }.map { "\($0.value); " } ?? ""
        let cookie = "\(held)\(Self.browserCookie(of: Self.app(of: path)))=\(token.secret.revealed)"
        let fields = form.map { ($0.key, $0.value) } + [("form_token", token.formToken)]
        let body = fields.map { "\($0.0)=\(Self.encode($0.1))" }.joined(separator: "&")
        let all =
            [
                HTTPRequest.Header("Content-Type", "application/x-www-form-urlencoded"),
                HTTPRequest.Header("Cookie", cookie),
            ] + headers.filter { $0.key != "Cookie" }.map { .init($0.key, $0.value) }
        return try await client.send(HTTPRequest("POST", url + path, headers: all, body: Array(body.utf8)))
    }

    /// The app whose page a path is.
    static func app(of path: String) -> String { String(path.split(separator: "/").dropFirst().first ?? "") }

    /// The cookie that tells a browser from others on an app's pages.
    static func browserCookie(of app: String) -> String { "__Host-gatepost-browser-\(app)" }

    /// A value as it stands in a form or a query.
    static func encode(_ value: String) -> String {
        value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? value
    }
}

extension HTTPResponse {
    /// A text or number of a JSON answer, by the names that lead to it: `user.id`.
    package func field(_ path: String) -> String? {
        var value: Any? = try? JSONSerialization.jsonObject(with: Data(body))
        for name in path.split(separator: ".") { value = (value as? [String: Any])?[String(name)] }
        switch value {
        case let text as String: return text
        case let number as NSNumber: return number.stringValue
        default: return nil
        }
    }

    /// A problem's code, if the answer is one.
    package var problem: ProblemCode? {
        guard header("Content-Type") == "application/problem+json" else { return nil }
        return field("code").flatMap(ProblemCode.init(rawValue:))
    }
}
