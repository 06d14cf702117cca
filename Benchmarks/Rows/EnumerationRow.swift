import Curl
import Foundation

extension Benchmark {
    /// Whether the time of an answer tells who has an account.
    static let enumeration = Benchmark(name: "enumeration") { site, pace in
        let client = try HTTPClient(.init { _ in true })
        let rows: [Row]
        do {
            rows = try await site.running(["serve"]) { _ in
                var rows: [Row] = []
                for route in addressRoutes { rows.append(try await enumerationRow(route, site, pace, client)) }
                return rows
            }
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        return rows
    }

    /// A route that takes an address, and what is sent there beside it.
    private struct AddressRoute: Sendable {
        let path: String
        var password: String?
        var asksForClient = false
        /// What it answers.
        let status: Int
    }

    private static let addressRoutes = [
        AddressRoute(path: "sign-ups", password: "seven lanterns over quiet water", status: 202),
        AddressRoute(path: "sign-ins", password: "nobody has chosen this one", asksForClient: true, status: 401),
        AddressRoute(path: "sign-ins/email", asksForClient: true, status: 202),
        AddressRoute(path: "password-resets", status: 202),
    ]

    /// Pairs of one run: with five runs three hundred, of which each address is asked for once.
    private static func pairs(_ pace: Pace) -> Int { 12 * pace.seconds }

    private static func enumerationRow(
        _ route: AddressRoute, _ site: Site, _ pace: Pace, _ client: HTTPClient
    ) async throws -> Row {
        var comparison = Comparison()
        var user = Site.firstUser + Int.random(in: 0..<1000)
        for _ in 0..<pace.runs {
            var times: [Bool: [Double]] = [true: [], false: []]
            for pair in 0..<pairs(pace) {
                user += 1
                let unknown = "\(UInt64.random(in: 0...UInt64.max))@other.example"
                for isKnown in pair.isMultiple(of: 2) ? [true, false] : [false, true] {
                    let email = isKnown ? Site.address(ofUser: user) : unknown
                    times[isKnown]?.append(try await milliseconds(of: route, email, site, client))
                }
            }
            comparison.figures.append(times[true, default: []].median)
            comparison.limits.append(times[false, default: []].median)
        }
        return Row(
            "POST \(route.path), a known address", "ms", comparison, limitIs: "an unknown one",
            must: .near(share: 0.05, orBy: 3),
            note: "gatepost serve, \(pairs(pace)) pairs a run, one request after the other, known and unknown in turns."
        )
    }

    private static func milliseconds(
        of route: AddressRoute, _ email: String, _ site: Site, _ client: HTTPClient
    ) async throws -> Double {
        var fields = ["email": email]
        fields["password"] = route.password
        if route.asksForClient {
            fields["client_id"] = "\(site.client)"
            fields["redirect_uri"] = site.redirectURI
            fields["code_challenge"] = String(repeating: "A", count: 43)
            fields["code_challenge_method"] = "S256"
        }
        let request = HTTPRequest(
            "POST", site.url(route.path), headers: [.init("Content-Type", "application/json")],
            body: Array(try JSONEncoder().encode(fields)))
        let clock = ContinuousClock()
        let start = clock.now
        let answer = try await client.send(request)
        let time = clock.now - start
        guard answer.status == route.status else {
            throw Program.Failed(description: "\(route.path) answered \(answer.status)")
        }
        return time / .milliseconds(1)
    }
}
