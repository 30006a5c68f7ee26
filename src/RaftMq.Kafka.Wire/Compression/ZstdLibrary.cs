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

    private static readonly string[] fileNames = OperatingSystem.IsWindows()
        ? ["libzstd.dll", "zstd.dll"]
        : OperatingSystem.IsMacOS() ? ["libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib"] : ["libzstd.so.1"];

    private static readonly Lazy<Functions?> library = new(Load);

    private delegate nuint CompressBound(nuint sourceBytes);

    private delegate nuint CompressAll(ref byte target, nuint targetBytes, ref byte source, nuint sourceBytes, int level);

    private delegate uint IsError(nuint code);

    private delegate nint CreateStream();

    private delegate nuint FreeStream(nint stream);

    private delegate nuint DecompressStream(nint stream, ref Piece output, ref Piece input);

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

    /// <summary>As a stream, because Java's producers do not write the size of what comes out.</summary>
    public static string? Open(ReadOnlySpan<byte> compressed, OpenedBytes opened)
    {
        if (library.Value is not { } zstd)
        {
            return "the system's libzstd is missing; on Debian: apt-get install libzstd1";
        }

        byte[] source = compressed.ToArray();
        byte[] target = new byte[128 * 1024];
        GCHandle sourcePin = GCHandle.Alloc(source, GCHandleType.Pinned);
        GCHandle targetPin = GCHandle.Alloc(target, GCHandleType.Pinned);
        nint stream = zstd.Create();
        try
        {
            Piece input = new() { Bytes = sourcePin.AddrOfPinnedObject(), Size = (nuint)source.Length };
            while (true)
            {
                Piece output = new() { Bytes = targetPin.AddrOfPinnedObject(), Size = (nuint)target.Length };
                nuint before = input.Position;
                nuint left = zstd.Decompress(stream, ref output, ref input);
                if (zstd.IsError(left) != 0)
                {
                    return "damaged";
                }

                if (!opened.TryAppend(target.AsSpan(0, (int)output.Position)))
                {
                    return OpenedBytes.OverLimit;
                }

                if (left == 0 && input.Position == input.Size)
                {
                    return null;
                }

                if (output.Position == 0 && input.Position == before)
                {
                    return "the bytes end inside a frame";
                }
            }
        }
        finally
        {
            zstd.Free(stream);
            targetPin.Free();
            sourcePin.Free();
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
                    Function<CreateStream>(handle, "ZSTD_createDStream"),
                    Function<FreeStream>(handle, "ZSTD_freeDStream"),
                    Function<DecompressStream>(handle, "ZSTD_decompressStream"));
            }
        }

        return null;
    }

    private static T Function<T>(nint handle, string name)
        where T : Delegate =>
        Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(handle, name));

    /// <summary>The library's input and output buffer: where, how much, how far.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Piece
    {
        public nint Bytes;
        public nuint Size;
        public nuint Position;
    }

    private sealed record Functions(
        CompressBound Bound,
        CompressAll Compress,
        IsError IsError,
        CreateStream Create,
        FreeStream Free,
        DecompressStream Decompress);
}
