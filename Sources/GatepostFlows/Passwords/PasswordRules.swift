import Crypto
import GatepostModel
package import GatepostStore
package import Passwords

/// What a password must be wherever one is chosen: at a sign-up, a reset, a change, and by an invited admin.
///
/// Long enough and not on a list (`PasswordPolicy`), not made of the words that somebody who knows the app or the
/// person would try, and, where an operator has named a server to ask, in no leak (NIST SP 800-63B-4, section 3.1.1.2;
/// OWASP ASVS 6.2.4, 6.2.11 and 6.2.12). Nothing here runs inside a transaction of the flow.
package struct PasswordRules: Sendable {
    private let database: Database
    private let policy: PasswordPolicy
    private let range: PasswordRangePort
    /// Of the installation: the program, and the host that people see in the address bar.
    private let ownWords: [String]

    /// Wires the rules.
    ///
    /// - Parameters:
    ///   - database: Where the names of the app and its clients are.
    ///   - policy: What holds for every app.
    ///   - range: The way to a server that knows leaked passwords.
    ///   - baseURL: Where Gatepost is reached.
    package init(
        database: Database, policy: PasswordPolicy, range: PasswordRangePort = .none, baseURL: String
    ) {
        (self.database, self.policy, self.range) = (database, policy, range)
        ownWords = ["gatepost"] + Self.words(of: baseURL)
    }

    /// Why a password cannot be taken, whatever the reason; nil for a good one.
    ///
    /// - Parameters:
    ///   - password: As it was typed.
    ///   - email: Whose it is to be.
    ///   - scope: The app.
    /// - Returns: The first reason found.
    /// - Throws: `PostgresError`.
    func refusal(
        of password: Secret, for email: EmailAddress?, in scope: AppScope
    ) async throws -> Refusal? {
        if let refusal = try await weakness(of: password, for: email, in: scope) { return refusal }
        return await leak(of: password)
    }

    /// Why a password is too weak; asks nobody outside.
    func weakness(
        of password: Secret, for email: EmailAddress?, in scope: AppScope
    ) async throws -> Refusal? {
        let address = email?.canonical ?? ""
        let names = try await database.batch(in: scope) { $0.knownNames() }
        // The whole of each, too: the parts may be short words, of which one alone says nothing.
        let words = ([address] + names).flatMap { [$0] + Self.words(of: $0) }
        return policy.weakness(of: password.revealed, context: words + ownWords).map { Refusal($0) }
    }

    /// The refusal of a password that has leaked; nil for any other, and where there is no answer.
    ///
    /// A sign-up must not depend on somebody else's server.
    func leak(of password: Secret) async -> Refusal? {
        let digits = Array(hexadecimal: Insecure.SHA1.hash(data: PasswordPolicy.bytes(of: password.revealed)))
        let reply = await range.ask(String(decoding: digits.prefix(5), as: UTF8.self))
        guard case .counts(let counts) = reply,
            counts[String(decoding: digits.dropFirst(5), as: UTF8.self), default: 0] > 0
        else { return nil }
        return Refusal(.breached)
    }

    private static func words(of text: String) -> [String] {
        text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }
}

extension Refusal {
    /// The refusal of a password, in words and as a code.
    fileprivate init(_ weakness: PasswordPolicy.Weakness) {
        self.init(.weakPassword, detail: weakness.description)
        (detailCode, detailNumber) = weakness.code
    }
}

extension [UInt8] {
    /// The digits of bytes in base 16, in capitals.
    fileprivate init(hexadecimal bytes: some Sequence<UInt8>) {
        let digits = Array("0123456789ABCDEF".utf8)
        self = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
