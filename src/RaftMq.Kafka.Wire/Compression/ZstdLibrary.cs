using System.Runtime.InteropServices;

namespace RaftMq.Kafka.Wire.Compression;

/// <summary>
/// Zstandard through the system's libzstd (Debian: libzstd1), which every Debian has because dpkg needs it. Where it is missing, zstd is
/// refused with a sentence that says what to install. Only the stable part of its interface is used.
/// </summary>
internal static class ZstdLibrary
{
    /// <summary>The library's own default: the middle between speed and size.</summary>
    private const int level = 3;

    /// <summary>ZSTD_error_dstSize_tooSmall, as a code (zstd_errors.h: the values do not change).</summary>
    private static readonly nuint tooLittleRoom = unchecked((nuint)(nint)(-70));

    private static readonly string[] fileNames = OperatingSystem.IsWindows()
        ? ["libzstd.dll", "zstd.dll"]
        : OperatingSystem.IsMacOS() ? ["libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib"] : ["libzstd.so.1"];

    private static readonly Lazy<Functions?> library = new(Load);

    private delegate nuint CompressBound(nuint sourceBytes);

    private delegate nuint CompressAll(ref byte target, nuint targetBytes, ref byte source, nuint sourceBytes, int level);

    private delegate uint IsError(nuint code);

    private delegate nuint DecompressAll(ref byte target, nuint targetBytes, ref byte source, nuint sourceBytes);

    public static bool IsPresent => library.Value is not null;

    public static byte[] Compress(ReadOnlySpan<byte> bytes)
    {
        Functions zstd = library.Value
            ?? throw new NotSupportedException("zstd needs the system's libzstd; on Debian: apt-get install libzstd1");
        byte[] target = new byte[checked((int)zstd.Bound((nuint)bytes.Length))];
        nuint written = zstd.Compress(
            ref target[0], (nuint)target.Length, ref MemoryMarshal.GetReference(bytes), (nuint)bytes.Length, level);
        return zstd.IsError(written) == 0
            ? target[..(int)written]
            : throw new NotSupportedException($"libzstd refused {bytes.Length} bytes with code {written}.");
    }

    /// <summary>
    /// In one call, straight into where it is to lie, with more room when that was not enough: as a stream the library would make a window of
    /// the size that a few bytes of the head ask for, up to 128 MiB, before it looks further. Java's producers do not write the size of what comes out.
    /// </summary>
    public static string? Open(ReadOnlySpan<byte> compressed, OpenedBytes opened)
    {
        if (library.Value is not { } zstd)
        {
            return "the system's libzstd is missing; on Debian: apt-get install libzstd1";
        }

        if (compressed.IsEmpty)
        {
            return "the bytes end inside a frame";
        }

        while (true)
        {
            Span<byte> room = opened.Room();
            nuint written = zstd.Decompress(
                ref MemoryMarshal.GetReference(room), (nuint)room.Length, ref MemoryMarshal.GetReference(compressed), (nuint)compressed.Length);
            if (zstd.IsError(written) == 0)
            {
                opened.Advance((int)written);
                return null;
            }

            if (written != tooLittleRoom)
            {
                return "damaged";
            }

            if (!opened.TryReserve(room.Length + 1))
            {
                return OpenedBytes.OverLimit;
            }
        }
    }

    private static Functions? Load()
    {
        foreach (string name in fileNames)
        {
            if (NativeLibrary.TryLoad(name, out nint handle))
            {
                return new Functions(
                    Function<CompressBound>(handle, "ZSTD_compressBound"),
                    Function<CompressAll>(handle, "ZSTD_compress"),
                    Function<IsError>(handle, "ZSTD_isError"),
                    Function<DecompressAll>(handle, "ZSTD_decompress"));
            }
        }

        return null;
    }

    private static T Function<T>(nint handle, string name)
        where T : Delegate =>
        Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(handle, name));

    private sealed record Functions(
        CompressBound Bound,
        CompressAll Compress,
        IsError IsError,
        DecompressAll Decompress);
}
