package io.github.workerregistry.process;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;

/**
 * A program whose first thread starts another one and ends. The process runs in that thread until a signal ends it:
 * Linux shows it with the state of a zombie and without environment. For x86-64, in machine code; no language that is
 * available on every machine can do this.
 */
final class EndedFirstThreadProgram {

    private static final long ADDRESS = 0x400000;
    private static final int HEADERS = 64 + 56;

    private static final byte[] CODE = HexFormat.of()
            .parseHex(
                    "bf000f0500" // mov edi, CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM
                            + "488db42400f0ffff" // lea rsi, [rsp - 4096]
                            + "31d2" // xor edx, edx
                            + "4531d2" // xor r10d, r10d
                            + "4531c0" // xor r8d, r8d
                            + "b838000000" // mov eax, clone
                            + "0f05" // syscall
                            + "85c0" // test eax, eax
                            + "7409" // jz to the second thread
                            + "b83c000000" // mov eax, exit, which ends this thread only
                            + "31ff" // xor edi, edi
                            + "0f05" // syscall
                            + "b822000000" // mov eax, pause
                            + "0f05" // syscall
                            + "ebf7"); // jump back to pause

    private EndedFirstThreadProgram() {}

    /** Creates the program, an executable ELF file. */
    static Path in(Path directory) throws IOException {
        int size = HEADERS + CODE.length;
        ByteBuffer file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
        file.putShort((short) 2).putShort((short) 62).putInt(1); // executable, x86-64
        file.putLong(ADDRESS + HEADERS).putLong(64).putLong(0); // entry point, and offset of the next header
        file.putInt(0).putShort((short) 64).putShort((short) 56).putShort((short) 1);
        file.position(64);
        file.putInt(1).putInt(5); // loadable; readable and executable
        file.putLong(0)
                .putLong(ADDRESS)
                .putLong(ADDRESS)
                .putLong(size)
                .putLong(size)
                .putLong(4096);
        file.put(CODE);
        Path program = Files.write(directory.resolve("headless"), file.array());
        return Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
