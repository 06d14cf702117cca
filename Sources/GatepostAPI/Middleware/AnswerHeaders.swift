import HTTPTypes
import Hummingbird

/// Adds the header fields that every answer has, where a handler has not set its own.
///
/// OWASP ASVS 3.4: no sniffing, no referrer, no framing, HTTPS only once HTTPS is in use. Nothing is cached
/// unless its route says so.
struct AnswerHeaders: RouterMiddleware {
    typealias Context = RootRequestContext

    private let fields: HTTPFields

    init(isHTTPS: Bool) {
        var fields = HTTPFields(fixed: [
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        ])
        if isHTTPS { fields[.strictTransportSecurity] = "max-age=31536000" }
        self.fields = fields
    }

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for field in fields where !response.headers.contains(field.name) { response.headers.append(field) }
        return response
    }
}

extension HTTPFields {
    /// Fields whose names are written here, in the source; a name that is no token is left out.
    init(fixed pairs: KeyValuePairs<String, String>) {
        self.init(pairs.compactMap { pair in HTTPField.Name(pair.key).map { HTTPField(name: $0, value: pair.value) } })
    }
}
