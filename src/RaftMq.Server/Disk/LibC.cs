using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RaftMq.Server.Disk;

/// <summary>
/// The system calls that .NET does not offer or whose errors it hides. On Linux .NET 10 swallows every error of fsync
/// (<c>RandomAccess.FlushToDisk</c>, <c>FileStream.Flush(true)</c>), and it has no fsync of a folder at all.
/// The names are looked up through the main program, so that a library preloaded by a fault test is found before libc.
/// </summary>
internal static partial class LibC
{
    public const int Eintr = 4;
    public const int Eagain = 11;
    public const int Einval = 22;
    public const int Eio = 5;
    public const int Enospc = 28;
    public const int Ebadmsg = 74;
    public const int Edquot = 122;

    private const int CloseOnExec = 0x80000; // O_CLOEXEC
    private const int StandardError = 2;
    private const int WriteOnly = 1; // O_WRONLY

    // O_DIRECT and O_DIRECTORY are each other's on x64 and arm64.
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    public static int OpenReadOnlyFolder { get; } = (IsArm ? 0x4000 : 0x10000) | CloseOnExec;

    public static int OpenWriteDirect { get; } = (IsArm ? 0x10000 : 0x4000) | WriteOnly | CloseOnExec;

    public const int LockExclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB

    private const string Main = "main-program";

    static LibC() => NativeLibrary.SetDllImportResolver(typeof(LibC).Assembly, Resolve);

    [LibraryImport(Main, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int FDataSync(SafeFileHandle file);

    [LibraryImport(Main, EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(SafeFileHandle file);

    [LibraryImport(Main, EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport(Main, EntryPoint = "flock", SetLastError = true)]
    public static partial int FLock(SafeFileHandle file, int operation);

    /// <summary>Ends the process now, without finalizers or exit handlers: nothing may leave the node after a broken promise.</summary>
    [LibraryImport(Main, EntryPoint = "_exit")]
    public static partial void ExitNow(int code);

    /// <summary>Returns a handle that may be invalid: look at <see cref="Marshal.GetLastPInvokeError"/> then.</summary>
    public static SafeFileHandle Open(string path, int flags) => new(OpenRaw(path, flags, 0), ownsHandle: true);

    public static string Describe(int errno) => Marshal.GetPInvokeErrorMessage(errno);

    /// <summary>Past everything that .NET does with its console; ends early where the system takes nothing.</summary>
    public static void WriteToStandardError(string text)
    {
        byte[] left = Encoding.UTF8.GetBytes(text);
        while (left.Length > 0)
        {
            nint written = Write(StandardError, left, (nuint)left.Length);
            if (written < 0 && Marshal.GetLastPInvokeError() == Eintr)
            {
                continue;
            }

            if (written <= 0)
            {
                return;
            }

            left = left[(int)written..];
        }
    }

    [LibraryImport(Main, EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, byte[] bytes, nuint count);

    // open is variadic; on x64 and arm64 Linux a fixed third argument is passed the same way.
    [LibraryImport(Main, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenRaw(string path, int flags, int mode);

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? search) =>
        library == Main ? NativeLibrary.GetMainProgramHandle() : 0;
}
