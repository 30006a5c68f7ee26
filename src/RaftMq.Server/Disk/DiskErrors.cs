using RaftMq.Storage.Files;

namespace RaftMq.Server.Disk;

/// <summary>Turns what the system said into the two faults of the disk's seam.</summary>
internal static class DiskErrors
{
    /// <summary>A call failed that needs no new room, or that may not be retried (any sync).</summary>
    public static DiskFaultException Fault(string call, string path, int errno) =>
        new($"{call} of {path} failed: {LibC.Describe(errno)} (errno {errno})");

    /// <summary>A call failed that claims room: no space and no quota are a state that ends, everything else is a fault.</summary>
    public static DiskFaultException ClaimFault(string call, string path, Exception cause) =>
        IsFull(cause)
            ? new DiskFullException($"{call} of {path} failed: no space left (errno {cause.HResult})", cause)
            : Fault(call, path, cause);

    /// <summary>As the other one, of a call of the system library.</summary>
    public static DiskFaultException ClaimFault(string call, string path, int errno) => errno is LibC.Enospc or LibC.Edquot
        ? new DiskFullException($"{call} of {path} failed: no space left (errno {errno})")
        : Fault(call, path, errno);

    /// <summary>A read failed: by what the medium has lost, or for any other reason.</summary>
    public static DiskFaultException ReadFault(string path, Exception cause) =>
        cause is IOException && cause.HResult is LibC.Eio or LibC.Ebadmsg
            ? new UnreadableException($"read of {path} failed: {cause.Message}", cause)
            : Fault("read", path, cause);

    public static DiskFaultException Fault(string call, string path, Exception cause) =>
        new($"{call} of {path} failed: {cause.Message}", cause);

    /// <summary>What the base library throws when a system call fails.</summary>
    public static bool IsFromSystem(Exception exception) => exception is IOException or UnauthorizedAccessException;

    // .NET keeps the raw errno in HResult where it has no HRESULT of its own for it.
    private static bool IsFull(Exception cause) => cause is IOException && cause.HResult is LibC.Enospc or LibC.Edquot;
}
