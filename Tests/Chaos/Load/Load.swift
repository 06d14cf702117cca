import Crypto
import Curl
import Foundation
import GatepostDev
import GatepostModel
import Synchronization
import TestSupport

/// People who sign up, verify, sign in, refresh and are deactivated, each at most once an address, until they are told
/// to end; every request is in the journal.
final class Load: Sendable {
    /// How long somebody waits for a mail before they go on without it.
    private static let mailPatienceSeconds = 20
    /// A refresh may be repeated for 30 seconds after it was done (docs/api.md).
    private static let repeatsMax = 5

    let journal = Journal()
    private let site: Site
    private let peopleCount: Int
    private let isOver = Mutex(false)

    init(site: Site, peopleCount: Int) {
        (self.site, self.peopleCount) = (site, peopleCount)
    }

    /// Goes on until `end`.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for person in 0..<peopleCount {
                group.addTask {
                    var life = 0
                    while !self.hasEnded {
                        await self.live("p\(person)-\(life)@chaos.example", life)
                        life += 1
                    }
                }
            }
        }
    }

    /// Lets everybody finish what they are at.
    func end() { isOver.withLock { $0 = true } }

    private var hasEnded: Bool { isOver.withLock { $0 } }

    /// A person's way; it ends where an answer is a no, or stays out too often.
    private func live(_ email: String, _ number: Int) async {
        let signUp = journal.begin(.signUp, email)
        guard case .yes(let begun) = await site.api.signUp(email), let flow = begun.field("flow"),
            let token = begun.field("flow_token")
        else { return await pause(200) }
        journal.acknowledge(signUp) { $0.flow = hex(FlowID(flow)?.uuid.bytes) }
        if number % 7 == 3 { await site.shortenLife(ofFlow: hex(FlowID(flow)?.uuid.bytes)) }
        // One in nine is deactivated while the mail may still be owed.
        if number % 9 == 5 { return await deactivate(email) }
        guard let code = await code(to: email) else { return }
        guard await verify(email, flow: flow, token: token, code: code), await signInAndRefresh(email) else { return }
        if number % 3 != 0 { await deactivate(email) }
        await pause(50)
    }

    /// Waits for the mail, in small steps: the end of the load must not wait for a mail that never comes.
    private func code(to email: String) async -> String? {
        for _ in 0..<Self.mailPatienceSeconds where !hasEnded {
            if let code = await site.mails.code(to: email, within: .seconds(1)) { return code }
        }
        return nil
    }

    private func verify(_ email: String, flow: String, token: String, code: String) async -> Bool {
        let deed = journal.begin(.verify, email)
        for _ in 0..<Self.repeatsMax where !hasEnded {
            switch await site.api.verify(flow: flow, token: token, code: code) {
            case .yes:
                journal.acknowledge(deed)
                return true
            case .no:
                // Done already, perhaps, by a try whose answer was lost: the sign-in will tell.
                return true
            case .unknown: await pause(500)
            }
        }
        return false
    }

    private func signInAndRefresh(_ email: String) async -> Bool {
        let signIn = journal.begin(.signIn, email)
        guard case .yes(let signedIn) = await site.api.signIn(email), let code = signedIn.field("code") else {
            return !hasEnded
        }
        journal.acknowledge(signIn)
        let exchange = journal.begin(.exchange, email)
        guard case .yes(let tokens) = await site.api.exchange(code), var token = tokens.field("refresh_token"),
            let session = Self.session(of: tokens.field("access_token") ?? "")
        else { return !hasEnded }
        journal.acknowledge(exchange) { $0.session = session }
        for _ in 0..<3 where !hasEnded {
            await pause(100)
            guard let next = await refresh(email, token, session) else { return true }
            token = next
        }
        return true
    }

    /// The successor of a refresh token.
    private func refresh(_ email: String, _ token: String, _ session: String) async -> String? {
        let deed = journal.begin(.refresh, email)
        for _ in 0..<Self.repeatsMax where !hasEnded {
            switch await site.api.refresh(token) {
            case .yes(let tokens):
                guard let next = tokens.field("refresh_token") else { return nil }
                journal.acknowledge(deed) { deed in
                    deed.session = session
                    deed.tokenHash = hex(Array(SHA256.hash(data: Array(next.utf8))))
                }
                return next
            case .no: return nil
            case .unknown: await pause(500)
            }
        }
        return nil
    }

    private func deactivate(_ email: String) async {
        var user: String?
        for _ in 0..<Self.repeatsMax where user == nil && !hasEnded {
            user = await site.api.user(email)
            if user == nil { await pause(300) }
        }
        guard let user else { return }
        let deed = journal.begin(.deactivate, email)
        for _ in 0..<Self.repeatsMax {
            switch await site.api.deactivate(user, idempotencyKey: email) {
            case .yes: return journal.acknowledge(deed) { $0.user = hex(UserID(user)?.uuid.bytes) }
            case .no: return
            case .unknown: await pause(500)
            }
        }
    }

    private func pause(_ milliseconds: Int) async {
        try? await Task.sleep(for: .milliseconds(milliseconds))
    }

    /// The session that an access token names; its signature is for others to verify.
    private static func session(of accessToken: String) -> String? {
        let parts = accessToken.split(separator: ".")
        guard parts.count == 3 else { return nil }
        let base64 = String(parts[1]).replacing("-", with: "+").replacing("_", with: "/")
        let padded = base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4)
        guard let claims = Data(base64Encoded: padded),
            let object = try? JSONSerialization.jsonObject(with: claims) as? [String: Any],
            let session = (object["sid"] as? String).flatMap({ SessionID($0) })
        else { return nil }
        return hex(session.uuid.bytes)
    }
}

/// An id's bytes, or a hash's, as the evidence has them.
func hex(_ bytes: [UInt8]?) -> String {
    (bytes ?? []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
