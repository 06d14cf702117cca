import CLibcurl

/// One exchange on the driver's thread: its handle, what has come so far, and who waits for it.
final class HTTPTransfer {
    let id: Int
    let handle: EasyHandle
    private let request: HTTPRequest
    private let finish: @Sendable (Result<HTTPResponse, CurlError>) -> Void

    private var status = 0
    private var headers: [HTTPRequest.Header] = []
    private var headerByteCount = 0
    /// Set by the empty line after the final header; what comes later are trailers.
    private var areHeadersOver = false
    private var body: [UInt8] = []
    private var isTruncated = false
    private var wasAddressRefused = false

    init(
        _ request: HTTPRequest, id: Int, settings: HTTPClient.Settings,
        finish: @escaping @Sendable (Result<HTTPResponse, CurlError>) -> Void
    ) throws(CurlError) {
        if let flaw = request.flaw { throw .invalidRequest(flaw) }
        self.id = id
        self.request = request
        self.finish = finish
        handle = try EasyHandle()
        try handle.setCommonOptions(protocols: "http,https", caBundlePath: settings.caBundlePath)
        try setRequest()
        try setLimits()
        setCallbacks(settings)
    }

    private func setRequest() throws(CurlError) {
        try handle.set(CURLOPT_URL, request.url)
        try handle.set(CURLOPT_DISALLOW_USERNAME_IN_URL, true)
        try handle.set(CURLOPT_PATH_AS_IS, true)
        try handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        if request.method == "HEAD" {
            try handle.set(CURLOPT_NOBODY, true)
        } else {
            if let body = request.body { try handle.set(postBody: body) }
            try handle.set(CURLOPT_CUSTOMREQUEST, request.method)
        }
        // A field without a value is written with a semicolon; one that libcurl would add is taken away by a colon.
        var lines = request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        lines.append("Expect:")
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        try handle.set(CURLOPT_HTTPHEADER, list: lines)
    }

    private func setLimits() throws(CurlError) {
        try handle.set(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout.millisecondsAtLeastOne)
        try handle.set(CURLOPT_TIMEOUT_MS, request.deadline.millisecondsAtLeastOne)
        try handle.set(CURLOPT_LOW_SPEED_LIMIT, max(1, request.lowSpeedBytesPerSecond))
        try handle.set(CURLOPT_LOW_SPEED_TIME, request.lowSpeedTime.secondsAtLeastOne)
    }

    private func setCallbacks(_ settings: HTTPClient.Settings) {
        handle.callbacks.mayDial = { [unowned self] address in
            let isAllowed = settings.isAddressAllowed(address)
            if !isAllowed { wasAddressRefused = true }
            return isAllowed
        }
        handle.callbacks.header = { [unowned self] line in takeHeader(line) }
        handle.callbacks.body = { [unowned self] bytes in takeBody(bytes) }
    }

    private func takeHeader(_ line: [UInt8]) -> Bool {
        headerByteCount += line.count
        guard headerByteCount <= request.headerBytesMax else { return false }
        let text = String(decoding: line, as: UTF8.self).unicodeScalars
        let content = String(text.prefix { $0 != "\r" && $0 != "\n" })
        if content.isEmpty {
            areHeadersOver = status >= 200
        } else if areHeadersOver {
            return true
        } else if content.hasPrefix("HTTP/") {
            status = content.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            headers = []
        } else if let colon = content.firstIndex(of: ":") {
            let value = content[content.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.append(.init(String(content[..<colon]), String(value)))
        }
        return true
    }

    /// libcurl 7.88 does not hold a chunked answer to `CURLOPT_MAXFILESIZE` (measured), so the bytes are counted here.
    private func takeBody(_ bytes: [UInt8]) -> Bool {
        let room = request.answerBytesMax - body.count
        body += bytes.prefix(room)
        isTruncated = bytes.count > room
        return !isTruncated
    }

    /// Hands over the result; the transfer is over for libcurl.
    func end(_ code: CurlCode) {
        finish(result(code))
    }

    /// Hands over a result that libcurl had no part in.
    func fail(_ error: CurlError) {
        finish(.failure(error))
    }

    private func result(_ code: CurlCode) -> Result<HTTPResponse, CurlError> {
        let isCutByUs = code == .writeError && isTruncated && request.overflow == .truncate
        if code == .ok || isCutByUs {
            return .success(HTTPResponse(status: status, headers: headers, body: body, isTruncated: isTruncated))
        }
        if isTruncated { return .failure(.answerTooLarge) }
        if headerByteCount > request.headerBytesMax { return .failure(.headersTooLarge) }
        if wasAddressRefused, code == .couldNotConnect { return .failure(.addressRefused) }
        let hasSentHead = handle.long(CURLINFO_REQUEST_SIZE) > 0
        let hasSentBody = handle.offset(CURLINFO_SIZE_UPLOAD_T) >= request.body?.count ?? 0
        return .failure(.failed(code, wasRequestSent: hasSentHead && hasSentBody))
    }
}
