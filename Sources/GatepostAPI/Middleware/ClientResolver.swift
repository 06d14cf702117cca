import GatepostModel
import HTTPTypes
import Hummingbird

/// Finds out whose request it is where proxies stand in front, and refuses what it cannot tell.
///
/// `X-Forwarded-For` is read from right to left: each proxy adds whom it heard from, so what the trusted ones wrote
/// stands at the end and whatever a caller wrote himself before it. The first address that is no trusted proxy's is
/// the client; nothing further left is looked at. From anybody but a trusted proxy the field is not read at all
/// (OWASP ASVS 4.1.3). An entry that is no address is refused: going on without one would skip every check that
/// goes by it (CVE-2024-47070). `Forwarded` is read in the same way where that is what the proxies write; the other
/// field is not looked at then.
struct ClientResolver: Sendable {
    let trustedProxies: [AddressRange]
    let field: ForwardingField

    /// Who sent a request.
    enum Client {
        /// Nil where the connection has no address, as on a Unix socket.
        case known(IPAddress?)
        case unreadable
    }

    /// Reads who sent a request that came over a connection from `peer`.
    func client(of headers: HTTPFields, from peer: IPAddress?) -> Client {
        guard let peer, isTrusted(peer) else { return .known(peer) }
        // A proxy that adds nothing, as for its own health check, speaks for itself.
        var client = peer
        for line in headers[values: field.fieldName].reversed() {
            guard let hops = hops(of: line) else { return .unreadable }
            for hop in hops.reversed() {
                guard let address = hop else { return .unreadable }
                client = address
                if !isTrusted(address) { return .known(client) }
            }
        }
        return .known(client)
    }

    /// The entries of a line, nil for one that is no address; nil where the line as a whole cannot be read.
    private func hops(of line: String) -> [IPAddress?]? {
        switch field {
        case .xForwardedFor: line.split(separator: ",", omittingEmptySubsequences: false).map(Self.address)
        case .forwarded: ForwardedField.nodes(in: line).map { $0.map(ForwardedField.address) }
        }
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        trustedProxies.contains { $0.contains(address) }
    }

    /// An entry as proxies write it: an address, IPv6 perhaps in brackets, perhaps with a port behind.
    private static func address(_ entry: Substring) -> IPAddress? {
        let text = entry.trimmingPrefix(while: isBlank).reversed().drop(while: isBlank).reversed()
        let entry = String(text)
        if let plain = IPAddress(entry) { return plain }
        if entry.hasPrefix("["), let end = entry.lastIndex(of: "]") {
            let inner = entry[..<end].dropFirst()
            return inner.contains(":") && isPort(entry[end...].dropFirst()) ? IPAddress(inner) : nil
        }
        guard let colon = entry.firstIndex(of: ":"), isPort(entry[colon...]) else { return nil }
        return IPAddress(entry[..<colon])
    }

    private static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty
            || text.first == ":" && (2...6).contains(text.utf8.count)
                && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// Puts the client's address into the context, before anything is logged.
///
/// A request whose client cannot be read goes on without one only as far as `ClientGuard`.
struct ClientMiddleware: RouterMiddleware {
    typealias Context = RootRequestContext

    let resolver: ClientResolver

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        switch resolver.client(of: request.headers, from: context.clientIP) {
        case .known(let address): context.clientIP = address
        case .unreadable: (context.clientIP, context.isClientUnreadable) = (nil, true)
        }
        return try await next(request, context)
    }
}

/// Refuses a request whose client could not be read, within what reports problems.
struct ClientGuard: RouterMiddleware {
    typealias Context = RootRequestContext

    let field: ForwardingField

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        guard !context.isClientUnreadable else {
            throw Problem(.invalidRequest, detail: "\(field.name) has an entry that is not an address.")
        }
        return try await next(request, context)
    }
}

extension ForwardingField {
    /// A name that is made of letters and hyphens always exists.
    fileprivate var fieldName: HTTPField.Name { HTTPField.Name(name) ?? .eTag }
}
