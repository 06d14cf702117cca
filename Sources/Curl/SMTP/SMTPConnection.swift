import CLibcurl

/// One easy handle of the pool, which is one connection that later mails use again.
///
/// It lives on one thread. libcurl's multi interface would need no threads, but it blocks all its transfers while one
/// server thinks after `DATA`: 16 mails at 0.3 s each took 4.8 s there and 0.3 s here.
final class SMTPConnection {
    /// How long a server may take to say good-bye.
    ///
    /// It is not part of the mail's deadline, because libcurl says `QUIT` after the result stands.
    private static let quitSeconds = 2

    /// What libcurl reads of a mail at a time; its least.
    ///
    /// It allocates twice as much for each mail, to stuff dots, and where 64 KiB and more are freed the allocator
    /// tidies up all that it has.
    private static let uploadBytes = 16 * 1024

    private let relay: SMTPRelay
    private let handle: EasyHandle
    private let transfer = Transfer()

    /// What the callbacks work on.
    private final class Transfer {
        var body: [UInt8] = []
        var sentCount = 0
        /// Whether libcurl has been given the whole body, after which it sends the final dot by itself.
        var isBodyOver: Bool { sentCount == body.count }
        var replies = SMTPReplies()
        /// How long a reply may take, in seconds.
        var replySeconds = 0
    }

    init(_ relay: SMTPRelay) throws(CurlError) {
        guard let url = relay.url else { throw .invalidRequest(.url) }
        self.relay = relay
        handle = try EasyHandle()
        try handle.setCommonOptions(protocols: "smtp,smtps", caBundlePath: relay.caBundlePath)
        try handle.set(CURLOPT_URL, url)
        try handle.set(CURLOPT_UPLOAD, true)
        try handle.set(CURLOPT_NOPROGRESS, false)
        try handle.set(CURLOPT_MAXCONNECTS, 1)
        try handle.set(CURLOPT_UPLOAD_BUFFERSIZE, Self.uploadBytes)
        try handle.set(CURLOPT_MAXAGE_CONN, relay.idleTimeout.secondsAtLeastOne)
        try handle.set(CURLOPT_CONNECTTIMEOUT_MS, relay.connectTimeout.millisecondsAtLeastOne)
        try handle.set(CURLOPT_LOW_SPEED_LIMIT, 1)
        try handle.set(CURLOPT_LOW_SPEED_TIME, relay.stallTimeout.secondsAtLeastOne)
        if relay.security != .none { try handle.set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
        if let login = relay.login {
            try handle.set(CURLOPT_USERNAME, login.username)
            try handle.set(CURLOPT_PASSWORD, login.password)
        }
        setCallbacks()
    }

    deinit {
        // Cleaning up says QUIT and would wait two minutes for an answer that nobody needs.
        handle.stopReading()
    }

    /// Sends one mail, on the open connection if there is one.
    ///
    /// A pooled connection may have gone stale. If it breaks before the server has said anything good about this mail,
    /// the server cannot have it, and it is tried once more on a fresh connection.
    func send(_ message: SMTPMessage, within limit: Duration) -> SMTPResult {
        let stopwatch = Stopwatch()
        // After the deadline libcurl still says QUIT and waits as long again. The grace lets its own limit strike
        // first.
        handle.callbacks.mustStop = { stopwatch.elapsed > limit + .milliseconds(250) }
        do throws(CurlError) {
            let first = try attempt(message, within: limit, fresh: false)
            let rest = limit - stopwatch.elapsed
            guard first.isStale, rest > .zero else { return first.result }
            return try attempt(message, within: rest, fresh: true).result
        } catch {
            return .notStarted(.settings)
        }
    }

    private func attempt(
        _ message: SMTPMessage, within limit: Duration, fresh: Bool
    ) throws(CurlError) -> (result: SMTPResult, isStale: Bool) {
        transfer.body = message.bytes
        transfer.sentCount = 0
        transfer.replies = SMTPReplies()
        transfer.replySeconds = limit.secondsAtLeastOne
        try handle.set(CURLOPT_MAIL_FROM, message.sender)
        try handle.set(CURLOPT_MAIL_RCPT, list: [message.recipient])
        try handle.set(CURLOPT_INFILESIZE_LARGE, offset: message.bytes.count)
        try handle.set(CURLOPT_TIMEOUT_MS, limit.millisecondsAtLeastOne)
        try handle.set(CURLOPT_SERVER_RESPONSE_TIMEOUT, transfer.replySeconds)
        try handle.set(CURLOPT_FRESH_CONNECT, fresh)
        let code = CurlCode(unsafe curl_easy_perform(handle.pointer))
        let isReused = handle.long(CURLINFO_NUM_CONNECTS) == 0
        let hasRefusal = transfer.replies.refusal.map { $0.code != 421 } ?? false
        let isBroken = code != .ok && code != .timedOut && !hasRefusal
        let isStale = isReused && isBroken && transfer.replies.lastPositive == nil
        return (result(code, isReused: isReused), isStale)
    }

    /// The reply decides, then libcurl's code: a refused recipient is "failed sending data" to libcurl.
    private func result(_ code: CurlCode, isReused: Bool) -> SMTPResult {
        let reply = transfer.replies.deciding
        let outcome: SMTPResult.Outcome =
            switch transfer.replies.refusal?.code {
            case _ where code == .ok: .accepted
            case .some(500...): .rejected
            case .some: .deferred
            case nil: transfer.isBodyOver ? .unknown : .failed
            }
        return SMTPResult(
            outcome: outcome, curlCode: code, replyCode: reply?.code, reply: reply?.text ?? "", reachedNetwork: true,
            isRelayFailing: isRelayFailing(code, isReused: isReused))
    }

    /// Whether the failure came before the mail was spoken of, or is one of the connection.
    ///
    /// A fresh connection begins with the greeting and `EHLO`, up to which the last good reply is none or a 220. What
    /// libcurl says at `MAIL` cannot be told from `RCPT`, so a refusal there counts as one of the mail.
    private func isRelayFailing(_ code: CurlCode, isReused: Bool) -> Bool {
        guard code != .ok else { return false }
        guard let refusal = transfer.replies.refusal, refusal.code != 421 else { return true }
        let isBeforeMail = !isReused && [nil, 220].contains(transfer.replies.lastPositive?.code)
        return isBeforeMail || code == .loginDenied || code == .tlsRequired
    }

    private func setCallbacks() {
        handle.callbacks.read = { [transfer] countMax in
            let bytes = transfer.body[transfer.sentCount...].prefix(countMax)
            transfer.sentCount += bytes.count
            return bytes
        }
        handle.callbacks.header = { [transfer, unowned handle] line in
            transfer.replies.receive(line)
            // A server that stalls at the good-bye must not hold the thread. One that refused something and goes on
            // has its whole time: cut short, it might take a mail that we count as unknown.
            let seconds = transfer.replies.isGoodByeNext ? Self.quitSeconds : transfer.replySeconds
            try? handle.set(CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds)
            return true
        }
    }
}
