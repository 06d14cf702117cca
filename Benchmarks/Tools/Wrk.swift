import Foundation

/// Runs wrk, the load generator that HTTP is measured with.
enum Wrk {
    /// Answered requests a second; throws if any answer is not of 2xx, because a refusal is cheap.
    ///
    /// - Parameters:
    ///   - url: Where to send requests.
    ///   - connections: How many requests are under way at once; one thread sends them.
    ///   - seconds: For how long.
    ///   - request: Lua that sets `wrk.method`, headers and body, or defines `request()`.
    /// - Returns: The rate.
    /// - Throws: `Program.Failed`.
    static func rate(_ url: String, connections: Int, seconds: Int, request: String) async throws -> Double {
        let script = FileManager.default.temporaryDirectory.appendingPathComponent("wrk-\(UUID().uuidString).lua")
        defer { try? FileManager.default.removeItem(at: script) }
        try Data((request + report).utf8).write(to: script)
        let output = try await Program.output(
            "/usr/bin/wrk", ["-t1", "-c\(connections)", "-d\(seconds)s", "--timeout", "20s", "-s", script.path, url],
            within: .seconds(seconds + 60))
        guard let match = output.firstMatch(of: /RESULT (\d+) (\d+) (\d+)/), let count = Double(match.1),
            let microseconds = Double(match.2), let failures = Int(match.3)
        else { throw Program.Failed(description: "wrk said: \(output)") }
        guard failures == 0, count > 0 else {
            throw Program.Failed(description: "\(failures) of \(Int(count)) requests to \(url) failed: \(output)")
        }
        return count * 1_000_000 / microseconds
    }

    private static let report = #"""

        local refusals = 0
        function response(status, headers, body)
            if status >= 300 and refusals == 0 then
                refusals = 1
                print(status, body)
            end
        end

        function done(summary, latency, requests)
            local e = summary.errors
            print(string.format("RESULT %d %d %d", summary.requests, summary.duration,
                e.connect + e.read + e.write + e.status + e.timeout))
        end
        """#
}
