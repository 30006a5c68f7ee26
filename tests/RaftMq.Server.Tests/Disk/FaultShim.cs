using System.Diagnostics;

namespace RaftMq.Server.Tests.Disk;

/// <summary>Builds the library that makes disk calls fail, with the system's C compiler. A missing compiler fails the test.</summary>
internal static class FaultShim
{
    private static readonly Lazy<string> Built = new(Build);

    public static string Path => Built.Value;

    private static string Build()
    {
        string source = System.IO.Path.Combine(AppContext.BaseDirectory, "Disk", "faultshim.c");
        string library = System.IO.Path.Combine(AppContext.BaseDirectory, "Disk", $"faultshim-{Environment.ProcessId}.so");
        using Process compiler = Process.Start(new ProcessStartInfo("gcc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        string errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        Assert.True(compiler.ExitCode == 0, $"gcc could not build the fault library: {errors}");
        return library;
    }
}
