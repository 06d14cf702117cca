import CLibcurl
import Glibc

/// What libcurl calls while a transfer runs, as closures that know nothing of C.
///
/// libcurl gets functions that capture nothing and the handle as their user data; the handle outlives the transfer,
/// because libcurl's own handle is cleaned up in its `deinit`.
extension EasyHandle {
    /// The closures of one transfer.
    ///
    /// All are called on the thread that drives it.
    struct Callbacks {
        /// Gives at most so many of the next bytes to send; none at the end.
        var read: (_ countMax: Int) -> ArraySlice<UInt8> = { _ in [] }
        /// Takes one header or reply line with its line break; false ends the transfer.
        var header: (_ line: [UInt8]) -> Bool = { _ in true }
        /// Takes the next bytes of the answer; false ends the transfer.
        var body: (_ bytes: [UInt8]) -> Bool = { _ in true }
        /// Asked about once a second, also while a connection is being closed; true ends the transfer.
        var mustStop: () -> Bool = { false }
        /// Says whether an address may be dialled.
        var mayDial: (_ address: SocketAddress) -> Bool = { _ in true }
    }

    /// Tells libcurl to call `callbacks`.
    ///
    /// Without a write callback it would print what it receives.
    func installCallbacks() throws(CurlError) {
        let own = unsafe Unmanaged.passUnretained(self).toOpaque()
        let options = [
            CURLOPT_READDATA, CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_XFERINFODATA, CURLOPT_OPENSOCKETDATA,
        ]
        for option in options {
            try check(unsafe gatepost_easy_set_pointer(pointer, option, own))
        }
        try check(unsafe gatepost_easy_set_transfer_callback(pointer, CURLOPT_READFUNCTION, giveBytes))
        try check(unsafe gatepost_easy_set_transfer_callback(pointer, CURLOPT_HEADERFUNCTION, takeHeader))
        try check(unsafe gatepost_easy_set_transfer_callback(pointer, CURLOPT_WRITEFUNCTION, takeBody))
        try check(unsafe gatepost_easy_set_progress_callback(pointer, reportProgress))
        try check(unsafe gatepost_easy_set_open_socket_callback(pointer, openSocket))
    }
}

/// The handle behind a callback's user data.
@unsafe
private func handle(_ data: UnsafeMutableRawPointer?) -> EasyHandle? {
    guard let data = unsafe data else { return nil }
    return unsafe Unmanaged<EasyHandle>.fromOpaque(data).takeUnretainedValue()
}

/// What a callback returns to end the transfer: any number but the one it was given.
private func accepted(_ count: Int, _ isTaken: Bool) -> Int {
    isTaken ? count : (count == 0 ? 1 : 0)
}

private func giveBytes(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
    guard let buffer = unsafe buffer, let handle = unsafe handle(data) else { return Int(CURL_READFUNC_ABORT) }
    let target = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: size * count)
    let bytes = handle.callbacks.read(target.count).prefix(target.count)
    unsafe target.copyBytes(from: bytes)
    return bytes.count
}

private func takeHeader(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
    guard let handle = unsafe handle(data) else { return accepted(size * count, false) }
    let line = unsafe Array(UnsafeRawBufferPointer(start: buffer, count: size * count))
    return accepted(size * count, handle.callbacks.header(line))
}

private func takeBody(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
    guard let handle = unsafe handle(data) else { return accepted(size * count, false) }
    let bytes = unsafe Array(UnsafeRawBufferPointer(start: buffer, count: size * count))
    return accepted(size * count, handle.callbacks.body(bytes))
}

private func reportProgress(
    _ data: UnsafeMutableRawPointer?, _: curl_off_t, _: curl_off_t, _: curl_off_t, _: curl_off_t
) -> Int32 {
    guard let handle = unsafe handle(data) else { return 1 }
    return handle.callbacks.mustStop() ? 1 : 0
}

/// Makes the socket itself, so that nothing is dialled that was not asked about.
private func openSocket(
    _ data: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let address = unsafe address, let handle = unsafe handle(data),
        handle.callbacks.mayDial(unsafe SocketAddress(address))
    else { return CURL_SOCKET_BAD }
    return unsafe socket(
        address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
}
