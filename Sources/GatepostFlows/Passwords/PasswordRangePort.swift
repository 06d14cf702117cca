/// The way to a server that knows which passwords have leaked, asked in the range protocol of Pwned Passwords: five
/// digits of a hash go out, the rest of every hash that begins so comes back, and the comparison is made here.
///
/// Beside `ProviderPort` the only thing that a flow calls outside Postgres (docs/decisions/0032). The program fills it
/// with libcurl behind the guard of addresses, with limits of time and size. It gives no verdict: no answer is not a
/// leak, and whoever wires it counts and logs that there was none.
package struct PasswordRangePort: Sendable {
    /// What came of asking.
    package enum Reply: Sendable {
        /// The rest of each hash that begins so, in capitals, and how often its password was seen; 0 pads the answer.
        case counts([String: Int])
        /// Nobody answered, or not so that it can be used.
        case unanswered
        /// There is nobody to ask.
        case unasked
    }

    let ask: @Sendable (String) async -> Reply

    /// Wires the way out.
    ///
    /// - Parameter ask: Called with the first five digits of a SHA-1, in capitals.
    package init(ask: @escaping @Sendable (String) async -> Reply) {
        self.ask = ask
    }

    /// Asks nobody: the setting is empty unless an operator names a server.
    package static let none = PasswordRangePort { _ in .unasked }
}
